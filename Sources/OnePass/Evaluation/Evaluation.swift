import OnePassCore

/// The accuracy of a model on labelled images: overall, by class, by pair of classes, and its worst errors.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// let evaluation = try model.evaluation(on: "fashion-mnist:test")
/// for pair in evaluation.confusion.mostFrequentErrors(3) {
///   print(model.card.className(pair.label), "→", model.card.className(pair.predicted), pair.count)
/// }
/// ```
public struct Evaluation: Sendable {
  /// The accuracy on the examples of one class.
  public struct ClassResult: Hashable, Sendable {
    /// The label of the class.
    public let label: Int
    /// The number of examples.
    public internal(set) var examples = 0
    /// The number of examples whose class has the largest logit.
    public internal(set) var correct = 0
    /// The number of examples whose class is among the five largest logits; `nil` with five classes or fewer.
    public internal(set) var correctTop5: Int?
    /// The sum of the cross-entropy losses, in nats.
    public internal(set) var lossSum = 0.0

    /// The top-1 accuracy, 0 … 1; `nil` without examples.
    public var top1: Double? { share(correct) }
    /// The top-5 accuracy, 0 … 1; `nil` without examples, or with five classes or fewer.
    public var top5: Double? { correctTop5.flatMap(share) }
    /// The mean cross-entropy, in nats; `nil` without examples.
    public var loss: Double? { examples > 0 ? lossSum / Double(examples) : nil }

    private func share(_ count: Int) -> Double? { examples > 0 ? Double(count) / Double(examples) : nil }
  }

  /// A misclassified example.
  public struct Mistake: Sendable {
    /// The position of the example in the data.
    public let position: Int
    /// The file of the example; `nil` if the source has no names.
    public let location: String?
    /// The true class.
    public let label: Int
    /// The predicted class.
    public let predicted: Int
    /// The probability of the predicted class, 0 … 1.
    public let probability: Double
    /// The probability of the true class, 0 … 1.
    public let labelProbability: Double
    /// The cross-entropy, in nats.
    public let loss: Double
    /// The encoded image.
    public let image: EncodedImage
  }

  /// The specification of the data, without queries and passwords.
  public let source: String
  /// The model, with the names of its classes.
  public let card: ModelCard
  /// The accuracy and loss over all examples, and the examples that were not evaluated.
  public let accuracy: RunResult.Accuracy
  /// The accuracy by class, in label order.
  public let classes: [ClassResult]
  /// The number of examples by true and predicted class.
  public let confusion: ConfusionMatrix
  /// The misclassified examples with the highest losses, the highest first.
  public let mistakes: [Mistake]
}

extension Evaluation: Encodable {
  private enum Keys: CodingKey { case source, classes, confusion, errors }

  /// Encodes the members of ``accuracy`` side by side with the classes, the matrix and the errors, without images.
  public func encode(to encoder: any Encoder) throws {
    try accuracy.encode(to: encoder)
    var record = encoder.container(keyedBy: Keys.self)
    try record.encode(source, forKey: .source)
    try record.encode(classes.map { NamedClass($0, name: name(of: $0.label)) }, forKey: .classes)
    try record.encode(confusion.entries, forKey: .confusion)
    try record.encode(mistakes, forKey: .errors)
  }

  /// The name of a class; `nil` if the classes have no names.
  package func name(of label: Int) -> String? {
    card.classNames.flatMap { $0.indices.contains(label) ? $0[label] : nil }
  }

  private struct NamedClass: Encodable {
    let label: Int
    let name: String?
    let examples: Int
    let correct: Int
    let top1: Double?
    let correctTop5: Int?
    let top5: Double?
    let loss: Double?

    init(_ result: ClassResult, name: String?) {
      (label, self.name) = (result.label, name)
      (examples, correct, correctTop5) = (result.examples, result.correct, result.correctTop5)
      (top1, top5, loss) = (result.top1, result.top5, result.loss)
    }
  }
}

extension Evaluation.Mistake: Encodable {
  private enum CodingKeys: String, CodingKey {
    case position, location, label, predicted, probability, labelProbability, loss
  }

  /// Encodes all members but the image.
  public func encode(to encoder: any Encoder) throws {
    var record = encoder.container(keyedBy: CodingKeys.self)
    try record.encode(position, forKey: .position)
    try record.encodeIfPresent(location, forKey: .location)
    try record.encode(label, forKey: .label)
    try record.encode(predicted, forKey: .predicted)
    try record.encode(probability, forKey: .probability)
    try record.encode(labelProbability, forKey: .labelProbability)
    try record.encode(loss, forKey: .loss)
  }
}
