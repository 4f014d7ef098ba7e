import OnePassCore
import OnePassTorch

/// The parameters with which ``ModelKind`` creates a model.
///
/// ```swift
/// func makeTiny(_ request: ModelRequest) throws -> any ImageClassifier {
///   try CIFARResNet(.resnet8, classes: request.classes, channels: request.channels, from: request.initialiser)
/// }
/// ```
public struct ModelRequest {
  /// The number of classes; 0 if all of them are found in the stream.
  public let classes: Int
  /// The number of image channels: 1 (grey) or 3 (colour).
  public let channels: Int
  /// The first layers, by image size.
  public let stem: Stem
  /// Changes to the layers.
  public let options: LayerOptions
  /// The source of the random weights.
  public let initialiser: Initialiser
}

/// Options of a run that apply to the layers of every model.
///
/// ```swift
/// let options = LayerOptions(normalisationGroup: processes, blursBeforeStrides: true)
/// ```
public struct LayerOptions {
  /// The processes whose batches are normalised together in training; `nil` to normalise each separately.
  public var normalisationGroup: ProcessGroup?
  /// Whether strided convolutions of at least 16 channels blur their input (``/OnePassTorch/Blur2d``).
  public var blursBeforeStrides: Bool

  /// Creates options; by default the layers are unchanged.
  public init(normalisationGroup: ProcessGroup? = nil, blursBeforeStrides: Bool = false) {
    self.normalisationGroup = normalisationGroup
    self.blursBeforeStrides = blursBeforeStrides
  }
}

/// A kind of model: a name and a function that creates models.
///
/// ```swift
/// let tiny = ModelKind("tiny") { request in
///   try CIFARResNet(
///     .resnet8, classes: request.classes, channels: request.channels, options: request.options,
///     from: request.initialiser)
/// }
/// ```
public struct ModelKind: Sendable {
  /// The name in records, including any parameters: `tiny(width: 16)`.
  public let name: String
  private let make: @Sendable (ModelRequest) throws -> any ImageClassifier

  /// Creates a kind of model.
  /// - Parameters:
  ///   - name: The name in records, including any parameters.
  ///   - make: Creates a model. Its weights must come from the initialiser of the request, so that they depend on the seed.
  public init(_ name: String, make: @escaping @Sendable (ModelRequest) throws -> any ImageClassifier) {
    self.name = name
    self.make = make
  }

  /// Creates a model with random weights.
  /// - Parameters:
  ///   - classes: 0 or more.
  ///   - channels: 1 (grey) or 3 (colour).
  ///   - stem: The first layers. The CIFAR ResNets (8, 20, 32, 44, 56, 110) ignore it, since they have only the small stem.
  ///   - seed: The seed of the weights, which are the same on every device.
  ///   - device: The device of the weights.
  ///   - options: Changes to the layers. Default: none.
  /// - Throws: `OnePassError` (`usage`) if a number is outside its range.
  public func makeModel(
    classes: Int, channels: Int, stem: Stem, seed: UInt64, device: Device,
    options: LayerOptions = LayerOptions()
  ) throws -> any ImageClassifier {
    guard classes >= 0 else { throw OnePassError.classCountOutOfRange(classes) }
    guard channels == 1 || channels == 3 else { throw OnePassError.channelCountOutOfRange(channels) }
    return try make(
      ModelRequest(
        classes: classes, channels: channels, stem: stem, options: options,
        initialiser: Initialiser(seed: seed, device: device)))
  }
}
