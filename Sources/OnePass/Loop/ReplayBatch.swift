import OnePassCore
import OnePassData
import OnePassReplay

/// A replayed mini-batch; this rank's part of it is on its way through the decoder.
struct ReplayBatch {
  /// All of it.
  let drawn: [DrawnExample]
  /// The rank that trains on each.
  let trainers: [Int]
  /// w_i of each, with mean 1; all 1 if `nil`.
  let weights: [Float]?
  /// Which of `drawn` are this rank's part, in order.
  let places: [Int]
  let pending: PendingBatch
  let decoder: BatchDecoder
  /// Whether several ranks share it.
  let isDivided: Bool

  /// This rank's part as it is trained, once it is decoded.
  /// - Throws: `OnePassError` (`engine`) if an image that was decoded when it arrived no longer can be.
  func weighted() throws -> WeightedBatch {
    let images = try decoder.wait(for: pending)
    if let lost = images.skipped.first {
      throw OnePassError(
        .engine,
        "Example \(lost.id) was decoded when it arrived and cannot be decoded from the memory: \(lost.reason)"
      )
    }
    let total = weights?.reduce(0) { $0 + Double($1) } ?? Double(drawn.count)
    return WeightedBatch(
      images: images, weights: weights.map { weights in places.map { weights[$0] } },
      totalWeight: isDivided ? total : nil, predictions: places.compactMap { drawn[$0].prediction },
      isReplayed: true)
  }

  /// What was found of each example of the whole, from what each rank found of its part; empty where that is nothing.
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
