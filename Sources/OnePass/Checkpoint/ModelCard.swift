import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// The architecture of a model, its classes and the preparation of its images.
///
/// ```swift
/// let card = try RunFiles("runs/first").modelCard()
/// let untrained = try card.makeModel(seed: 1, device: .cpu)
/// ```
public struct ModelCard: Codable, Sendable {
  /// The name of the architecture; `own:` and a name for a custom kind.
  public let name: String
  /// The first layers, for large or small images.
  public let stem: Stem
  /// The number of classes.
  public private(set) var classes: Int
  /// The class names in label order; `nil` if the classes have no names.
  public private(set) var classNames: [String]?
  /// The preparation of images.
  public let pipeline: ImagePipeline
  /// Whether the model blurs before strided convolutions.
  public let blurPool: Bool

  /// Creates the model with random weights.
  /// - Parameters:
  ///   - seed: The random seed. The same seed gives the same weights on any device.
  ///   - device: The device of the weights.
  ///   - group: The processes over which batch statistics are computed in training; only this one if `nil`.
  ///   - own: The custom kind, if the model is of one.
  /// - Throws: `OnePassError` (`usage`) if the kind of the model is unknown.
  public func makeModel(
    seed: UInt64, device: Device, normalisingOver group: ProcessGroup? = nil, own: ModelKind? = nil
  ) throws -> any ImageClassifier {
    let options = LayerOptions(normalisationGroup: group, blursBeforeStrides: blurPool)
    if let ownName = OwnPart.name(in: name) {
      guard let own, own.name == ownName else {
        throw OnePassError.customModelMissing(ownName, other: own?.name)
      }
      return try own.makeModel(
        classes: classes, channels: pipeline.channels, stem: stem, seed: seed, device: device,
        options: options)
    }
    return try ModelRegistry.make(
      name, classes: classes, channels: pipeline.channels, stem: stem, seed: seed, device: device,
      options: options)
  }

  /// The same model with the classes found so far.
  func with(_ found: RunClasses) -> ModelCard {
    guard let names = found.names else { return self }
    var card = self
    (card.classes, card.classNames) = (names.count, names)
    return card
  }

  /// The name of a class, or `class 3` if the classes have no names.
  public func className(_ label: Int) -> String {
    guard let classNames, classNames.indices.contains(label) else { return "class \(label)" }
    return classNames[label]
  }
}

extension ModelCard {
  /// Decodes a card. Those of version 0.1.0 lack `blurPool`.
  public init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: CodingKeys.self)
    name = try record.decode(String.self, forKey: .name)
    stem = try record.decode(Stem.self, forKey: .stem)
    classes = try record.decode(Int.self, forKey: .classes)
    classNames = try record.decodeIfPresent([String].self, forKey: .classNames)
    pipeline = try record.decode(ImagePipeline.self, forKey: .pipeline)
    blurPool = try record.decodeIfPresent(Bool.self, forKey: .blurPool) ?? false
  }
}
