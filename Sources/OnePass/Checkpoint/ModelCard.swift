import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// All that is needed to build a model again and to give it images as in training.
public struct ModelCard: Codable, Sendable {
  public let name: String
  public let stem: Stem
  public let classes: Int
  public let classNames: [String]?
  public let pipeline: ImagePipeline
  /// Whether images are blurred before each stride.
  public let blurPool: Bool

  /// The model with fresh weights.
  /// - Parameters:
  ///   - seed: The same seed gives the same weights, on any device.
  ///   - device: Where the weights lie.
  ///   - group: The processes whose mini-batches are normalised together while training, if any.
  ///   - own: The program's own kind, where the model is of one.
  /// - Throws: `OnePassError` (`usage`) if the model is of a kind that is not there.
  public func makeModel(
    seed: UInt64, device: Device, normalisingOver group: ProcessGroup? = nil, own: ModelKind? = nil
  ) throws -> any ImageClassifier {
    let options = LayerOptions(normalisationGroup: group, blursBeforeStrides: blurPool)
    if let ownName = OwnPart.name(in: name) {
      guard let own, own.name == ownName else {
        throw OnePassError(
          .usage,
          "The model \(ownName) is of a program's own kind\(own.map { ", not \($0.name)" } ?? ""): "
            + "evaluate it in that program, with the kind that it trained with.")
      }
      return try own.makeModel(
        classes: classes, channels: pipeline.channels, stem: stem, seed: seed, device: device,
        options: options)
    }
    return try ModelRegistry.make(
      name, classes: classes, channels: pipeline.channels, stem: stem, seed: seed, device: device,
      options: options)
  }

  /// The name of a class, or its number where the classes have no names.
  public func className(_ label: Int) -> String {
    guard let classNames, classNames.indices.contains(label) else { return "class \(label)" }
    return classNames[label]
  }
}

extension ModelCard {
  public init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: CodingKeys.self)
    name = try record.decode(String.self, forKey: .name)
    stem = try record.decode(Stem.self, forKey: .stem)
    classes = try record.decode(Int.self, forKey: .classes)
    classNames = try record.decodeIfPresent([String].self, forKey: .classNames)
    pipeline = try record.decode(ImagePipeline.self, forKey: .pipeline)
    // Version 0.1.0 had no blur.
    blurPool = try record.decodeIfPresent(Bool.self, forKey: .blurPool) ?? false
  }
}
