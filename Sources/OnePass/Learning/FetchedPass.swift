import OnePassReplay
import OnePassTorch

/// A forward pass whose values are copied from the device asynchronously.
struct FetchedPass: ForwardPass {
  /// ℓ_i, `[N]`, in nats.
  private let fetchedLosses: FetchedValues
  /// The predicted classes and their probabilities, `[N]`, if they were requested.
  private let fetchedPredictions: (classes: FetchedValues, probabilities: FetchedValues)?
  /// The notes for the memory, `[N]`, if it stores any.
  private let fetchedNotes: (() throws -> [ItemNote])?

  /// - Parameters:
  ///   - losses: `[N]`.
  ///   - logits: `[N, classes]`.
  ///   - notes: Makes the notes; `nil` if the memory stores none for this mini-batch.
  init(losses: Tensor, logits: Tensor, of batch: WeightedBatch, notes: (any ReplayNotes)?) throws {
    fetchedLosses = try losses.fetched()
    fetchedPredictions =
      batch.wantsPredictions
      ? (try logits.argmax().fetched(), try topProbabilities(logits, count: 1).probabilities.fetched()) : nil
    fetchedNotes = try notes?.notes(of: logits)
  }

  func losses() throws -> [Float] { try fetchedLosses.floats() }

  func predictions() throws -> [ClassPrediction] {
    guard let (classes, probabilities) = fetchedPredictions else { return [] }
    return zip(try classes.integers(), try probabilities.floats()).map {
      ClassPrediction(label: Int($0), probability: $1)
    }
  }

  func notes() throws -> [ItemNote] { try fetchedNotes?() ?? [] }
}
