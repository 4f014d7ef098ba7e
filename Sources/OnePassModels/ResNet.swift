import OnePassTorch

/// The ResNets of He et al. 2016 as in torchvision, with torchvision's parameter names.
///
/// This is layout v1.5: the stride of a bottleneck is in its 3x3 convolution, not in its first 1x1 convolution as in the
/// paper. Convolutions are initialised with Kaiming initialisation (normal, fan-out), every batch normalisation with 1 and 0,
/// and the last layer as in PyTorch. With the stem `imageNet` and 3 channels, weights saved by torchvision can be loaded.
///
/// With blurring before strides (``/OnePassTorch/Blur2d``), the input of every strided convolution except the stem's is blurred,
/// including the shortcuts. Max pooling is unchanged, as with `use_blurpool` in FFCV.
///
/// ```swift
/// let model = try ResNet(.resnet50, classes: 1000, channels: 3, stem: .imageNet, from: Initialiser(seed: 1))
/// let logits = try model(images, .evaluation)  // [N, 3, 224, 224] → [N, 1000]
/// ```
public struct ResNet: ImageClassifier {
  /// The number of layers, and with it the type of block.
  public enum Depth: CaseIterable, Hashable, Sendable {
    case resnet18, resnet34, resnet50, resnet101, resnet152

    /// The number of blocks in each of the four stages.
    var blocks: [Int] {
      switch self {
      case .resnet18: [2, 2, 2, 2]
      case .resnet34, .resnet50: [3, 4, 6, 3]
      case .resnet101: [3, 4, 23, 3]
      case .resnet152: [3, 8, 36, 3]
      }
    }

    var isBottleneck: Bool {
      switch self {
      case .resnet18, .resnet34: false
      case .resnet50, .resnet101, .resnet152: true
      }
    }
  }

  /// The number of classes.
  public var classes: Int { fc.outputs }
  /// The number of image channels: 1 or 3.
  public let channels: Int
  /// The first layers.
  public let stem: Stem

  private let conv1: Conv2d
  private let bn1: BatchNorm2d
  private let layers: [[Block]]
  private let fc: Linear
  public var head: Linear? { fc }

  /// Creates a model with random weights.
  /// - Parameters:
  ///   - depth: The number of layers.
  ///   - classes: 0 or more.
  ///   - channels: 1 (grey) or 3 (colour).
  ///   - stem: The first layers, by image size.
  ///   - options: Changes to the layers. Default: none.
  ///   - initialiser: The source of the weights.
  public init(
    _ depth: Depth, classes: Int, channels: Int, stem: Stem, options: LayerOptions = LayerOptions(),
    from initialiser: Initialiser
  ) throws {
    self.channels = channels
    self.stem = stem
    switch stem {
    case .imageNet: conv1 = try Conv2d(channels, 64, size: 7, stride: 2, padding: 3, from: initialiser)
    case .small: conv1 = try Conv2d(channels, 64, size: 3, padding: 1, from: initialiser)
    }
    bn1 = try BatchNorm2d(64, over: options.normalisationGroup, from: initialiser)

    var inputs = 64
    var layers: [[Block]] = []
    for (stage, count) in depth.blocks.enumerated() {
      let width = 64 << stage
      var layer: [Block] = []
      for index in 0..<count {
        let stride = stage > 0 && index == 0 ? 2 : 1
        layer.append(
          try Block(
            inputs, width: width, stride: stride, bottleneck: depth.isBottleneck, options: options,
            from: initialiser))
        inputs = depth.isBottleneck ? 4 * width : width
      }
      layers.append(layer)
    }
    self.layers = layers
    fc = try Linear(inputs, classes, from: initialiser)
  }

  public func callAsFunction(_ images: Tensor, _ mode: Mode) throws -> Tensor {
    var x = try conv1.convolved(images, bn1, mode, rectifies: true)
    if stem == .imageNet { x = try x.maxPool2d(size: 3, stride: 2, padding: 1) }  // [N, 64, H/4, W/4]
    for layer in layers {
      for block in layer { x = try block(x, mode) }
    }
    return try fc(x.adaptiveAveragePool2d().flattened())
  }

  public var namedTensors: [NamedTensor] {
    var parts: [(name: String, module: any Module)] = [("conv1", conv1), ("bn1", bn1)]
    for (stage, layer) in layers.enumerated() {
      for (index, block) in layer.enumerated() { parts.append(("layer\(stage + 1).\(index)", block)) }
    }
    return OnePassTorch.namedTensors(of: parts + [("fc", fc)])
  }
}
