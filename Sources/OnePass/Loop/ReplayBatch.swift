import OnePassCore
import OnePassData
import OnePassReplay

/// A replayed mini-batch, of which this rank's part is being decoded.
struct ReplayBatch {
  /// The whole mini-batch.
  let drawn: [DrawnExample]
  /// The rank that trains on each example.
  let trainers: [Int]
  /// w_i, with mean 1; 1 each if `nil`.
  let weights: [Float]?
  /// The indices into `drawn` of this rank's part, in order.
  let places: [Int]
  let pending: PendingBatch
  let decoder: BatchDecoder
  /// Whether several ranks share it.
  let isDivided: Bool

  /// Waits until this rank's part is decoded, and returns it for the learner.
  /// - Throws: `OnePassError` (`engine`) if an image cannot be decoded, although it was decoded on arrival.
  func weighted() throws -> WeightedBatch {
    let images = try decoder.wait(for: pending)
    if let lost = images.skipped.first {
      throw OnePassError.storedImageUndecodable(example: lost.id, reason: lost.reason)
    }
    let total = weights?.reduce(0) { $0 + Double($1) } ?? Double(drawn.count)
    return WeightedBatch(
      images: images, weights: weights.map { weights in places.map { weights[$0] } },
      totalWeight: isDivided ? total : nil, notes: places.compactMap { drawn[$0].note },
      isReplayed: true)
  }

  /// Merges the values of all ranks, in the order of the mini-batch; empty if no rank has any.
  func whole<Value>(ofEachRank parts: [[Value]]) -> [Value] {
    guard parts.contains(where: { !$0.isEmpty }) else { return [] }
    var next = parts.map { $0.makeIterator() }
    return trainers.map { trainer in
      guard let value = next[trainer].next() else {
        preconditionFailure("A rank reports a value for each example of its part.")
      }
      return value
    }
  }
}
