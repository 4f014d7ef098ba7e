import OnePassTorch

/// A network that gives each image of a batch one logit a class.
public protocol ImageClassifier: Module {
  /// The number of classes, 1 or more.
  var classes: Int { get }

  /// The number of channels of its images: 1 or 3.
  var channels: Int { get }

  /// The logits of a batch.
  /// - Parameters:
  ///   - images: `[N, channels, H, W]`, float32, normalised; fastest in channels-last format.
  ///   - mode: whether batch normalisation uses and updates the batch's statistics.
  /// - Returns: `[N, classes]`.
  /// - Throws: `OnePassError` (`engine`) if the images have other channels or are too small for the network.
  func callAsFunction(_ images: Tensor, _ mode: Mode) throws -> Tensor
}

/// The first layers of a ResNet, which decide for which image sizes it is meant.
public enum Stem: String, CaseIterable, Hashable, Sendable, Codable {
  /// A 7x7 convolution and a max pool, each with stride 2: for images of about 224x224.
  case imageNet
  /// One 3x3 convolution with stride 1: for images of about 32x32.
  case small
}
