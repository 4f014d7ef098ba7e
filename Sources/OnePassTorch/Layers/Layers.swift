/// A convolution without bias, square filters, equal stride and padding in both directions.
///
/// ```swift
/// let layer = try Conv2d(3, 16, size: 3, padding: 1, from: Initialiser(seed: 1))
/// let output = try layer(images)  // [N, 3, H, W] → [N, 16, H, W]
/// ```
public struct Conv2d: Module {
  /// `[filters, channels, size, size]`, channels-last.
  public let weight: Tensor
  public let stride: Int
  public let padding: Int
  private let blur: Blur2d?

  /// - Parameters:
  ///   - channels: C of its input, `[N, C, H, W]`.
  ///   - filters: C of its output.
  ///   - size: The side of a filter, in pixels.
  ///   - stride: In both directions. Default 1.
  ///   - padding: Zeros on each side, in pixels. Default 0.
  ///   - blursBeforeStride: Whether images are blurred first (``Blur2d``), where the convolution takes a stride over
  ///     16 channels or more. Default no.
  ///   - initialiser: Draws its weights.
  public init(
    _ channels: Int, _ filters: Int, size: Int, stride: Int = 1, padding: Int = 0,
    blursBeforeStride: Bool = false, from initialiser: Initialiser
  ) throws {
    weight = try initialiser.convolutionWeight(filters: filters, channels: channels, size: size)
    self.stride = stride
    self.padding = padding
    let isBlurred = blursBeforeStride && stride > 1 && channels >= Blur2d.fewestChannels
    blur = isBlurred ? try Blur2d(channels, on: initialiser.device) : nil
  }

  /// `[N, channels, H, W]` → `[N, filters, H', W']`; the same in training and evaluation.
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try convolved(blurred(input)) }

  /// The images as the filters see them: blurred, if this convolution does so.
  public func blurred(_ input: Tensor) throws -> Tensor { try blur?(input) ?? input }

  /// The convolution alone, of images that are blurred already where they have to be.
  public func convolved(_ input: Tensor) throws -> Tensor {
    try conv2d(input, weight: weight, stride: stride, padding: padding)
  }

  public var namedTensors: [NamedTensor] { [NamedTensor("weight", weight, .parameter)] }
}

/// Batch normalisation of each channel, with PyTorch's defaults (momentum 0.1, ε 1e-5).
public struct BatchNorm2d: Module {
  /// `[channels]`, the scale, at first 1.
  public let weight: Tensor
  /// `[channels]`, the shift, at first 0.
  public let bias: Tensor
  /// `[channels]`, at first 0.
  public let runningMean: Tensor
  /// `[channels]`, at first 1.
  public let runningVariance: Tensor
  /// A single int64: the training batches seen.
  public let batchesTracked: Tensor
  /// The processes whose batches are normalised together in training; `nil` where each batch stands for itself.
  public let group: ProcessGroup?

  /// - Parameters:
  ///   - channels: C of its input, `[N, C, H, W]`.
  ///   - group: The processes whose batches are normalised together in training, as by `torch.nn.SyncBatchNorm`.
  ///     Default none: each process normalises by its own batch.
  ///   - initialiser: Makes its parameters and buffers.
  public init(_ channels: Int, over group: ProcessGroup? = nil, from initialiser: Initialiser) throws {
    self.group = group
    weight = try initialiser.constant(1, shape: [channels])
    bias = try initialiser.constant(0, shape: [channels])
    runningMean = try initialiser.buffer(0, shape: [channels])
    runningVariance = try initialiser.buffer(1, shape: [channels])
    batchesTracked = try initialiser.buffer(0, shape: [], type: .int64)
  }

  /// `[N, channels, H, W]` → the same shape; then the addition of another image and max(x, 0), where asked for.
  ///
  /// A single value a channel (one image whose map is 1 x 1) has no variance: PyTorch refuses it. Here it is
  /// normalised by the running statistics, so that a stream's last mini-batch of one image trains as well.
  public func callAsFunction(
    _ input: Tensor, _ mode: Mode, adding addend: Tensor? = nil, rectifies: Bool = false
  )
    throws -> Tensor
  {
    let hasVariance = input.count > runningMean.count
    let (usesBatch, momentum, group): (Bool, Double, ProcessGroup?) =
      switch mode {
      case .training: (hasVariance || group != nil, 0.1, group)
      case .evaluation: (false, 0, nil)
      }
    if mode == .training { try batchesTracked.addInPlace(1) }
    return try batchNorm(
      input, weight: weight, bias: bias, runningMean: runningMean, runningVariance: runningVariance,
      adding: addend, rectifies: rectifies, training: usesBatch, momentum: momentum, over: group)
  }

  public var namedTensors: [NamedTensor] {
    [
      NamedTensor("weight", weight, .parameter),
      NamedTensor("bias", bias, .parameter),
      NamedTensor("running_mean", runningMean, .buffer),
      NamedTensor("running_var", runningVariance, .buffer),
      NamedTensor("num_batches_tracked", batchesTracked, .buffer),
    ]
  }
}

/// A fully connected layer, drawn as PyTorch draws it: uniformly within ±1/√inputs, bias included.
public struct Linear: Module {
  /// `[outputs, inputs]`.
  public let weight: Tensor
  /// `[outputs]`.
  public let bias: Tensor

  public init(_ inputs: Int, _ outputs: Int, from initialiser: Initialiser) throws {
    let bound = 1 / Double(inputs).squareRoot()
    weight = try initialiser.uniform(shape: [outputs, inputs], bound: bound)
    bias = try initialiser.uniform(shape: [outputs], bound: bound)
  }

  /// `[N, inputs]` → `[N, outputs]`; the same in training and evaluation.
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    try linear(input, weight: weight, bias: bias)
  }

  public var namedTensors: [NamedTensor] {
    [NamedTensor("weight", weight, .parameter), NamedTensor("bias", bias, .parameter)]
  }
}
