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

  /// What the memory keeps of this rank's part, where it keeps predictions.
  var partOfPredictions: [StoredPrediction] { places.compactMap { drawn[$0].prediction } }

  /// What was found of each example of the whole, from what each rank found of its part; empty where that is nothing.
  func whole<Value>(ofEachRank parts: [[Value]]) -> [Value] {
    guard parts.contains(where: { !$0.isEmpty }) else { return [] }
    var next = parts.map { $0.makeIterator() }
    return trainers.map { trainer in
      guard let value = next[trainer].next() else {
        preconditionFailure("A rank tells something of each example of its part.")
      }
      return value
    }
  }
}
