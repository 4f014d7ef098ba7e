import OnePassCore
import OnePassTorch

/// The models that are available by name.
///
/// To add a model, add its file to this folder and a line to ``kinds``; the conformance test covers it.
///
/// ```swift
/// let model = try ModelRegistry.make("resnet20", classes: 10, channels: 3, stem: .small, seed: 1, device: .cpu)
/// ```
public enum ModelRegistry {
  /// All kinds: the CIFAR ResNets and torchvision's ResNets, each by depth.
  public static let kinds: [ModelKind] = cifarKinds + resnetKinds

  private static let cifarKinds = [
    cifar("resnet8", .resnet8),
    cifar("resnet20", .resnet20),
    cifar("resnet32", .resnet32),
    cifar("resnet44", .resnet44),
    cifar("resnet56", .resnet56),
    cifar("resnet110", .resnet110),
  ]

  private static let resnetKinds = [
    resnet("resnet18", .resnet18),
    resnet("resnet34", .resnet34),
    resnet("resnet50", .resnet50),
    resnet("resnet101", .resnet101),
    resnet("resnet152", .resnet152),
  ]

  /// Whether the first layers of a model can be chosen, as those of every kind but the CIFAR ResNets.
  package static func hasStem(_ name: String) -> Bool { !cifarKinds.contains { $0.name == name } }

  /// The names of all kinds, in order.
  public static var names: [String] { kinds.map(\.name) }

  /// Creates a model with random weights, in channels-last format.
  /// - Parameters:
  ///   - name: One of ``names``.
  ///   - classes: 1 or more.
  ///   - channels: 1 (grey) or 3 (colour).
  ///   - stem: The first layers. The CIFAR ResNets (8, 20, 32, 44, 56, 110) ignore it, since they have only the small stem.
  ///   - seed: The seed of the initial weights. The weights do not depend on the device.
  ///   - device: The device of the weights.
  ///   - options: Changes to the layers. Default: none.
  /// - Throws: `OnePassError` (`usage`) if the name is unknown or a number is outside its range.
  public static func make(
    _ name: String, classes: Int, channels: Int, stem: Stem, seed: UInt64, device: Device,
    options: LayerOptions = LayerOptions()
  ) throws -> any ImageClassifier {
    guard let kind = kinds.first(where: { $0.name == name }) else {
      throw OnePassError.unknownModel(name, known: names)
    }
    return try kind.makeModel(
      classes: classes, channels: channels, stem: stem, seed: seed, device: device, options: options)
  }

  private static func cifar(_ name: String, _ depth: CIFARResNet.Depth) -> ModelKind {
    ModelKind(name) {
      try CIFARResNet(
        depth, classes: $0.classes, channels: $0.channels, options: $0.options, from: $0.initialiser)
    }
  }

  private static func resnet(_ name: String, _ depth: ResNet.Depth) -> ModelKind {
    ModelKind(name) {
      try ResNet(
        depth, classes: $0.classes, channels: $0.channels, stem: $0.stem, options: $0.options,
        from: $0.initialiser)
    }
  }
}
