import OnePassCore
import OnePassTorch

/// The models that can be asked for by name.
///
/// A new model is one file in this folder and one line in `makers`; the conformance test finds it there.
///
/// ```swift
/// let model = try ModelRegistry.make("resnet20", classes: 10, channels: 3, stem: .small, seed: 1, device: .cpu)
/// ```
public enum ModelRegistry {
  /// What a maker is told.
  struct Request {
    let classes: Int
    let channels: Int
    let stem: Stem
    let initialiser: Initialiser
  }

  typealias Maker = @Sendable (Request) throws -> any ImageClassifier

  static let makers: [(name: String, make: Maker)] = [
    ("resnet8", cifar(.resnet8)),
    ("resnet20", cifar(.resnet20)),
    ("resnet32", cifar(.resnet32)),
    ("resnet44", cifar(.resnet44)),
    ("resnet56", cifar(.resnet56)),
    ("resnet110", cifar(.resnet110)),
    ("resnet18", resnet(.resnet18)),
    ("resnet34", resnet(.resnet34)),
    ("resnet50", resnet(.resnet50)),
    ("resnet101", resnet(.resnet101)),
    ("resnet152", resnet(.resnet152)),
  ]

  /// All names: first the CIFAR ResNets, then torchvision's, each by depth.
  public static var names: [String] { makers.map(\.name) }

  /// A new model with random weights, in channels-last format.
  /// - Parameters:
  ///   - name: one of ``names``.
  ///   - classes: 1 or more.
  ///   - channels: 1 (grey) or 3 (colour).
  ///   - stem: the first layers; the CIFAR ResNets (8, 20, 32, 44, 56, 110) have only the small one, and ignore this.
  ///   - seed: the same seed gives the same weights, on any device.
  ///   - device: where the weights lie.
  ///   - group: the processes whose batches are normalised together in training. Default none.
  /// - Throws: `OnePassError` (`usage`) for an unknown name or an impossible number.
  public static func make(
    _ name: String, classes: Int, channels: Int, stem: Stem, seed: UInt64, device: Device,
    normalisingOver group: ProcessGroup? = nil
  ) throws -> any ImageClassifier {
    guard let maker = makers.first(where: { $0.name == name }) else {
      throw OnePassError(
        .usage, "The model \(name) is not known: use one of \(names.joined(separator: ", ")).")
    }
    guard classes >= 1 else {
      throw OnePassError(.usage, "A model for \(classes) classes is not possible: give at least 1.")
    }
    guard channels == 1 || channels == 3 else {
      throw OnePassError(
        .usage, "Images of \(channels) channels are not possible: use 1 (grey) or 3 (colour).")
    }
    let initialiser = try Initialiser(seed: seed, device: device, normalisingOver: group)
    return try maker.make(
      Request(classes: classes, channels: channels, stem: stem, initialiser: initialiser))
  }

  private static func cifar(_ depth: CIFARResNet.Depth) -> Maker {
    { try CIFARResNet(depth, classes: $0.classes, channels: $0.channels, from: $0.initialiser) }
  }

  private static func resnet(_ depth: ResNet.Depth) -> Maker {
    { try ResNet(depth, classes: $0.classes, channels: $0.channels, stem: $0.stem, from: $0.initialiser) }
  }
}
