/// The most probable class of an image.
struct ClassPrediction: Hashable {
  let label: Int
  /// Its softmax probability, 0 … 1.
  let probability: Float
}

/// A prediction that was made before the update on its example.
struct OnlinePrediction: Hashable {
  /// The position of the example in the stream.
  let id: Int
  /// The label of the example.
  let label: Int
  let prediction: ClassPrediction
  /// ℓ, in nats.
  let loss: Float

  var isCorrect: Bool { prediction.label == label }
}
