import OnePassReplay
import OnePassTorch

/// What the model made of a mini-batch before it was trained on it.
struct ForwardPass {
  /// ℓ_i, the loss of each example, `[N]`.
  let losses: FetchedValues
  /// The class that the model took each example for, `[N]`, where it was asked for.
  let predictions: FetchedValues?
  /// The likeliest classes of each example, and their probabilities, `[N, count]`, where the memory keeps them.
  private let likeliest: (classes: FetchedValues, probabilities: FetchedValues, count: Int)?

  init(losses: Tensor, logits: Tensor, predicting: Bool, storing: Bool) throws {
    self.losses = try losses.fetched()
    predictions = predicting ? try logits.argmax().fetched() : nil
    guard storing else {
      likeliest = nil
      return
    }
    let count = min(StoredPrediction.mostClasses, logits.shape[1])
    let (classes, probabilities) = try OnePassTorch.likeliest(logits, count: count)
    likeliest = (try classes.fetched(), try probabilities.fetched(), count)
  }

  /// What the memory is to keep of each example; nothing where it keeps none, and of images that may be mixed.
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
