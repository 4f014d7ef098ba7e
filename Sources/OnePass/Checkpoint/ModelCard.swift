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
    if let ownName = OwnPart.name(in: name) {
      guard let own, own.name == ownName else {
        throw OnePassError(
          .usage,
          "The model \(ownName) is of a program's own kind\(own.map { ", not \($0.name)" } ?? ""): "
            + "evaluate it in that program, with the kind that it trained with.")
      }
      return try own.makeModel(
        classes: classes, channels: pipeline.channels, stem: stem, seed: seed, device: device,
        normalisingOver: group)
    }
    return try ModelRegistry.make(
      name, classes: classes, channels: pipeline.channels, stem: stem, seed: seed, device: device,
      normalisingOver: group)
  }

  /// The name of a class, or its number where the classes have no names.
  public func className(_ label: Int) -> String {
    guard let classNames, classNames.indices.contains(label) else { return "class \(label)" }
    return classNames[label]
  }
}
