import OnePassData
import OnePassReplay

/// A replayed mini-batch, this rank's part of it on its way through the decoder.
struct ReplayBatch {
  /// All of it.
  let drawn: [DrawnExample]
  /// The rank that trains on each.
  let trainers: [Int]
  /// w_i of each, with mean 1; all 1 where `nil`.
  let weights: [Float]?
  let pending: PendingBatch
  /// Which of `drawn` are this rank's part, in order.
  let places: [Int]

  /// Σ w_i.
  var totalWeight: Double { weights?.reduce(0) { $0 + Double($1) } ?? Double(drawn.count) }

  /// w_i of this rank's part.
  var partOfWeights: [Float]? { weights.map { weights in places.map { weights[$0] } } }

  /// ℓ_i of the whole, from those of each rank's part.
  func losses(ofEachRank parts: [[Float]]) -> [Float] {
    var next = parts.map { $0.makeIterator() }
    return trainers.map { trainer in
      guard let loss = next[trainer].next() else {
        preconditionFailure("A rank has a loss for each example of its part.")
      }
      return loss
    }
  }
}
