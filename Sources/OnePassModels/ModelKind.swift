import OnePassCore
import OnePassTorch

/// What a model is made for.
public struct ModelRequest {
  /// 1 or more.
  public let classes: Int
  /// 1 (grey) or 3 (colour).
  public let channels: Int
  /// For which image sizes.
  public let stem: Stem
  /// How its layers are built.
  public let options: LayerOptions
  /// The source of its random weights.
  public let initialiser: Initialiser
}

/// What a run may change of how every model's layers are built.
public struct LayerOptions {
  /// The processes whose batches are normalised together in training; each process by itself if `nil`.
  public var normalisationGroup: ProcessGroup?
  /// Whether convolutions that take a stride over 16 channels or more blur their images first
  /// (``/OnePassTorch/Blur2d``).
  public var blursBeforeStrides: Bool

  public init(normalisationGroup: ProcessGroup? = nil, blursBeforeStrides: Bool = false) {
    self.normalisationGroup = normalisationGroup
    self.blursBeforeStrides = blursBeforeStrides
  }
}

/// A kind of model: what it is called, how it is made.
///
/// ```swift
/// let tiny = ModelKind("tiny") { request in
///   try CIFARResNet(
///     .resnet8, classes: request.classes, channels: request.channels, options: request.options,
///     from: request.initialiser)
/// }
/// ```
public struct ModelKind: Sendable {
  /// What records call it. One that has parameters names them as well: `tiny(width: 16)`.
  public let name: String
  private let make: @Sendable (ModelRequest) throws -> any ImageClassifier

  /// - Parameters:
  ///   - name: What records call it.
  ///   - make: Makes a model whose weights come from the request's initialiser, so that the seed fixes them.
  public init(_ name: String, make: @escaping @Sendable (ModelRequest) throws -> any ImageClassifier) {
    self.name = name
    self.make = make
  }

  /// A new model with random weights.
  /// - Parameters:
  ///   - classes: 1 or more.
  ///   - channels: 1 (grey) or 3 (colour).
  ///   - stem: the first layers; the CIFAR ResNets (8, 20, 32, 44, 56, 110) have only the small one, and ignore this.
  ///   - seed: the same seed gives the same weights, on any device.
  ///   - device: where the weights lie.
  ///   - options: how its layers are built.
  /// - Throws: `OnePassError` (`usage`) for an impossible number.
  public func makeModel(
    classes: Int, channels: Int, stem: Stem, seed: UInt64, device: Device,
    options: LayerOptions = LayerOptions()
  ) throws -> any ImageClassifier {
    guard classes >= 1 else {
      throw OnePassError(.usage, "A model for \(classes) classes is not possible: give at least 1.")
    }
    guard channels == 1 || channels == 3 else {
      throw OnePassError(
        .usage, "Images of \(channels) channels are not possible: use 1 (grey) or 3 (colour).")
    }
    return try make(
      ModelRequest(
        classes: classes, channels: channels, stem: stem, options: options,
        initialiser: Initialiser(seed: seed, device: device)))
  }
}
