import OnePassReplay
import OnePassTorch

/// A forward pass whose values are being copied from the device while it works on.
struct FetchedPass: ForwardPass {
  /// ℓ_i, `[N]`.
  private let fetchedLosses: FetchedValues
  /// The predicted class of each, `[N]`, where it was asked for.
  private let fetchedClasses: FetchedValues?
  /// The likeliest classes of each example, and their probabilities, `[N, count]`, where the memory keeps them.
  private let likeliest: (classes: FetchedValues, probabilities: FetchedValues, count: Int)?

  /// - Parameters:
  ///   - losses: `[N]`.
  ///   - logits: `[N, classes]`.
  ///   - storing: Whether the memory keeps the predictions.
  init(losses: Tensor, logits: Tensor, of batch: WeightedBatch, storing: Bool) throws {
    fetchedLosses = try losses.fetched()
    fetchedClasses = batch.wantsClasses ? try logits.argmax().fetched() : nil
    guard storing else {
      likeliest = nil
      return
    }
    let count = min(StoredPrediction.mostClasses, logits.shape[1])
    let (classes, probabilities) = try OnePassTorch.likeliest(logits, count: count)
    likeliest = (try classes.fetched(), try probabilities.fetched(), count)
  }

  func losses() throws -> [Float] { try fetchedLosses.floats() }

  func classes() throws -> [Int] { try fetchedClasses?.integers().map { Int($0) } ?? [] }

  func storedPredictions() throws -> [StoredPrediction] {
    guard let likeliest else { return [] }
    let (classes, probabilities) = (
      try likeliest.classes.integers(), try likeliest.probabilities.floats()
    )
    return stride(from: 0, to: classes.count, by: likeliest.count).map { start in
      let row = start..<start + likeliest.count
      return StoredPrediction(classes: classes[row].map { Int($0) }, probabilities: Array(probabilities[row]))
    }
  }
}
