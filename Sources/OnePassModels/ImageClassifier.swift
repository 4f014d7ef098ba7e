import OnePassTorch

/// A network that computes one logit per class for each image of a batch.
///
/// ```swift
/// func predictedClasses(_ model: any ImageClassifier, _ images: Tensor) throws -> [Int64] {
///   try withoutGradient { try model(images, .evaluation).argmax().integers() }
/// }
/// ```
public protocol ImageClassifier: Module {
  /// The number of classes; 0 before the first class of a run with open classes.
  var classes: Int { get }

  /// The last layer, which gets an output for each new class; `nil` if the number of classes cannot change. ``classes`` must be
  /// the number of its outputs.
  var head: Linear? { get }

  /// The number of image channels: 1 or 3.
  var channels: Int { get }

  /// Returns the logits of a batch.
  /// - Parameters:
  ///   - images: `[N, channels, H, W]`, float32, normalised; fastest in channels-last format.
  ///   - mode: Whether batch normalisation uses batch statistics and updates the running statistics.
  /// - Returns: `[N, classes]`, float32.
  /// - Throws: `OnePassError` (`engine`) if the images have another number of channels or are too small for the network.
  func callAsFunction(_ images: Tensor, _ mode: Mode) throws -> Tensor
}

extension ImageClassifier {
  public var head: Linear? { nil }
}

/// The first layers of a ResNet, which determine the image size for which it is suitable.
///
/// ```swift
/// let model = try ModelRegistry.make("resnet18", classes: 10, channels: 3, stem: .small, seed: 1, device: .cpu)
/// ```
public enum Stem: String, CaseIterable, Hashable, Sendable, Codable {
  /// A 7x7 convolution and max pooling, each with stride 2, for images of about 224x224.
  case imageNet
  /// A 3x3 convolution with stride 1, for images of about 32x32.
  case small
}
