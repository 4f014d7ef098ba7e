import OnePassTorch

/// The ResNets for 32x32 images with 6n + 2 layers and 16, 32 and 64 filters (He et al. 2016, section 4.2).
///
/// Shortcuts have no parameters ("option A" of the paper). Where the size halves, every second pixel is kept and half of the
/// zero channels are inserted before the old channels, half after them. The paper does not specify their positions; common
/// reimplementations use these.
///
/// With blurring before strides (``/OnePassTorch/Blur2d``), the shortcuts subsample the blurred images too, as the strided 1x1
/// convolutions in the shortcuts of torchvision's ResNets do.
///
/// Convolutions are initialised as in torchvision's ResNets (Kaiming, fan-out), the last layer as in PyTorch.
///
/// ```swift
/// let model = try CIFARResNet(.resnet20, classes: 10, channels: 3, from: Initialiser(seed: 1))
/// let logits = try model(images, .evaluation)  // [N, 3, 32, 32] → [N, 10]
/// ```
public struct CIFARResNet: ImageClassifier {
  /// The number of layers. The raw value n is the number of blocks in each of the three stages; the model has 6n + 2 layers.
  public enum Depth: Int, CaseIterable, Hashable, Sendable {
    case resnet8 = 1
    case resnet20 = 3
    case resnet32 = 5
    case resnet44 = 7
    case resnet56 = 9
    case resnet110 = 18
  }

  /// The number of classes.
  public var classes: Int { fc.outputs }
  /// The number of image channels: 1 or 3.
  public let channels: Int

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
  ///   - options: Changes to the layers. Default: none.
  ///   - initialiser: The source of the weights.
  public init(
    _ depth: Depth, classes: Int, channels: Int, options: LayerOptions = LayerOptions(),
    from initialiser: Initialiser
  ) throws {
    self.channels = channels
    conv1 = try Conv2d(channels, 16, size: 3, padding: 1, from: initialiser)
    bn1 = try BatchNorm2d(16, over: options.normalisationGroup, from: initialiser)
    layers = try [(16, 16, 1), (16, 32, 2), (32, 64, 2)].map { inputs, filters, stride in
      try (0..<depth.rawValue).map { index in
        try index == 0
          ? Block(inputs, filters, stride: stride, options: options, from: initialiser)
          : Block(filters, filters, stride: 1, options: options, from: initialiser)
      }
    }
    fc = try Linear(64, classes, from: initialiser)
  }

  public func callAsFunction(_ images: Tensor, _ mode: Mode) throws -> Tensor {
    var x = try conv1.convolved(images, bn1, mode, rectifies: true)  // [N, 16, 32, 32]
    for layer in layers {  // … [N, 32, 16, 16] … [N, 64, 8, 8]
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

extension CIFARResNet {
  /// Two 3x3 convolutions with a shortcut.
  struct Block: Module {
    private let conv1: Conv2d
    private let bn1: BatchNorm2d
    private let conv2: Conv2d
    private let bn2: BatchNorm2d
    private let stride: Int
    private let newChannels: Int

    init(
      _ inputs: Int, _ filters: Int, stride: Int, options: LayerOptions, from initialiser: Initialiser
    ) throws {
      conv1 = try Conv2d(
        inputs, filters, size: 3, stride: stride, padding: 1, blursBeforeStride: options.blursBeforeStrides,
        from: initialiser)
      bn1 = try BatchNorm2d(filters, over: options.normalisationGroup, from: initialiser)
      conv2 = try Conv2d(filters, filters, size: 3, padding: 1, from: initialiser)
      bn2 = try BatchNorm2d(filters, over: options.normalisationGroup, from: initialiser)
      self.stride = stride
      newChannels = filters - inputs
    }

    func callAsFunction(_ input: Tensor, _ mode: Mode) throws -> Tensor {
      let (branch, skipped) = try conv1.blurred(input).forked()
      let x = try conv1.convolved(branch, bn1, mode, rectifies: true)
      return try conv2.convolved(x, bn2, mode, adding: shortcut(skipped), rectifies: true)
    }

    private func shortcut(_ input: Tensor) throws -> Tensor {
      guard newChannels > 0 else { return input }
      return try input.subsampled(
        stride: stride, channelsBefore: newChannels / 2, after: newChannels - newChannels / 2)
    }

    var namedTensors: [NamedTensor] {
      OnePassTorch.namedTensors(of: [("conv1", conv1), ("bn1", bn1), ("conv2", conv2), ("bn2", bn2)])
    }
  }
}
