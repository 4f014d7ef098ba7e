import OnePassCore
import OnePassTorch

/// The models that can be asked for by name.
///
/// A new model is one file in this folder and one line in `kinds`; the conformance test finds it there.
///
/// ```swift
/// let model = try ModelRegistry.make("resnet20", classes: 10, channels: 3, stem: .small, seed: 1, device: .cpu)
/// ```
public enum ModelRegistry {
  /// First the CIFAR ResNets, then torchvision's, each by depth.
  public static let kinds: [ModelKind] = [
    cifar("resnet8", .resnet8),
    cifar("resnet20", .resnet20),
    cifar("resnet32", .resnet32),
    cifar("resnet44", .resnet44),
    cifar("resnet56", .resnet56),
    cifar("resnet110", .resnet110),
    resnet("resnet18", .resnet18),
    resnet("resnet34", .resnet34),
    resnet("resnet50", .resnet50),
    resnet("resnet101", .resnet101),
    resnet("resnet152", .resnet152),
  ]

  /// The names of all kinds, in their order.
  public static var names: [String] { kinds.map(\.name) }

  /// A new model with random weights, in channels-last format.
  /// - Parameters:
  ///   - name: one of ``names``.
  ///   - classes: 1 or more.
  ///   - channels: 1 (grey) or 3 (colour).
  ///   - stem: the first layers; the CIFAR ResNets (8, 20, 32, 44, 56, 110) have only the small one, and ignore this.
  ///   - seed: the same seed gives the same weights, on any device.
  ///   - device: where the weights lie.
  ///   - options: how its layers are built.
  /// - Throws: `OnePassError` (`usage`) for an unknown name or an impossible number.
  public static func make(
    _ name: String, classes: Int, channels: Int, stem: Stem, seed: UInt64, device: Device,
    options: LayerOptions = LayerOptions()
  ) throws -> any ImageClassifier {
    guard let kind = kinds.first(where: { $0.name == name }) else {
      throw OnePassError(
        .usage, "The model \(name) is not known: use one of \(names.joined(separator: ", ")).")
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
