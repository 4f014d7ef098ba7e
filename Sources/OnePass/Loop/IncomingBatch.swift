import OnePassCore
import OnePassData

/// An incoming mini-batch, decoded: step 1 of the method.
struct IncomingBatch {
  /// The decoded images of this rank's part.
  let images: ImageBatch
  /// All arrivals on all ranks, in the order of the stream.
  let arrivals: [Arrival]
  /// The arrivals whose images could be decoded.
  let whole: [Arrival]
  /// The pass over the data, from 0.
  let pass: Int
  /// Whether several ranks share it.
  let isDivided: Bool

  /// Whether there is nothing to train on: no image could be decoded, or no example has arrived yet.
  var isEmpty: Bool { whole.isEmpty }

  /// This rank's part for the learner. Each example has weight 1.
  var weighted: WeightedBatch {
    WeightedBatch(
      images: images, totalWeight: isDivided ? Double(whole.count) : nil, isReplayed: pass > 0,
      wantsPredictions: true)
  }
}
