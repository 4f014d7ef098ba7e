import OnePassCore

/// The predicted classes of an image file.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// for prediction in try model.predict(["boot.png"], top: 1) {
///   print(prediction.image, prediction.classes[0].name)
/// }
/// ```
public struct Prediction: Codable, Hashable, Sendable {
  /// A class with its probability.
  public struct Class: Codable, Hashable, Sendable {
    /// The label of the class, 0 ..< the number of classes.
    public let label: Int
    /// The name of the class, or `class 3` if the classes have no names.
    public let name: String
    /// The probability, 0 … 1. The probabilities of all classes of the model sum to 1.
    public let probability: Double
    /// The output of the model, before the softmax.
    public let logit: Double
  }

  /// The path of the image.
  public let image: String
  /// The classes, the most likely first.
  public let classes: [Class]
}

/// The prediction for an image, or the reason why there is none.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// try model.predict(ImageFiles(["photos"])) { outcomes in
///   for case .failed(let image, let error) in outcomes { print("\(image): \(error)") }
/// }
/// ```
public enum PredictionOutcome: Sendable {
  /// The predicted classes.
  case predicted(Prediction)
  /// The name of the image and the error of reading or decoding it.
  case failed(image: String, OnePassError)

  /// The name of the image.
  public var image: String {
    switch self {
    case .predicted(let prediction): prediction.image
    case .failed(let image, _): image
    }
  }

  /// The error; `nil` if the image was predicted.
  public var error: OnePassError? {
    if case .failed(_, let error) = self { error } else { nil }
  }

  /// The predicted classes.
  /// - Throws: The error, if the image was not predicted.
  public var prediction: Prediction {
    get throws {
      switch self {
      case .predicted(let prediction): return prediction
      case .failed(_, let error): throw error
      }
    }
  }
}
