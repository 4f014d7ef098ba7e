/// A convolution with square filters and without a bias; stride and padding are the same in both dimensions.
///
/// ```swift
/// let layer = try Conv2d(3, 16, size: 3, padding: 1, from: Initialiser(seed: 1))
/// let output = try layer(images)  // [N, 3, H, W] → [N, 16, H, W]
/// ```
public struct Conv2d: Module {
  /// The filters, `[filters, channels, size, size]`, in channels-last format.
  public let weight: Tensor
  /// The stride in both dimensions, in pixels.
  public let stride: Int
  /// The zero padding on each side, in pixels.
  public let padding: Int
  private let blur: Blur2d?

  /// Creates a convolution with random weights.
  /// - Parameters:
  ///   - channels: C of its input, `[N, C, H, W]`.
  ///   - filters: C of its output.
  ///   - size: The height and width of a filter, in pixels.
  ///   - stride: The stride in both dimensions. Default 1.
  ///   - padding: The zero padding on each side, in pixels. Default 0.
  ///   - blursBeforeStride: Whether the input is blurred first (``Blur2d``) if the stride is above 1 and there are at least
  ///     16 channels. Default `false`.
  ///   - initialiser: The source of the weights.
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

  /// Blurs, if this convolution does, and convolves: `[N, channels, H, W]` → `[N, filters, H', W']`.
  public func callAsFunction(_ input: Tensor) throws -> Tensor { try convolved(blurred(input)) }

  /// Returns the input of the filters: blurred if this convolution blurs, otherwise `input`.
  public func blurred(_ input: Tensor) throws -> Tensor { try blur?(input) ?? input }

  /// Convolves an input to which ``blurred(_:)`` has already been applied.
  public func convolved(_ input: Tensor) throws -> Tensor {
    try conv2d(input, weight: weight, stride: stride, padding: padding)
  }

  /// Convolves an input to which ``blurred(_:)`` has already been applied, normalises, optionally adds a tensor, and applies
  /// ReLU. In evaluation without gradients this is one pass over the images.
  /// - Parameters:
  ///   - input: `[N, channels, H, W]`.
  ///   - norm: Batch normalisation of the filters' outputs.
  ///   - mode: The mode of the normalisation.
  ///   - addend: A tensor of the output's shape to add before ReLU, if any.
  ///   - rectifies: Whether ReLU is applied last.
  /// - Returns: `[N, filters, H', W']`.
  public func convolved(
    _ input: Tensor, _ norm: BatchNorm2d, _ mode: Mode, adding addend: Tensor? = nil, rectifies: Bool
  ) throws -> Tensor {
    switch mode {
    case .training: try norm(convolved(input), mode, adding: addend, rectifies: rectifies)
    case .evaluation:
      try conv2dThenNorm(
        input, self, norm, adding: addend, rectifies: rectifies)
    }
  }

  public var namedTensors: [NamedTensor] { [NamedTensor("weight", weight, .parameter)] }
}

/// Batch normalisation of each channel, with PyTorch's defaults (momentum 0.1, ε = 1e-5).
///
/// ```swift
/// let norm = try BatchNorm2d(3, from: Initialiser(seed: 1))
/// let output = try norm(images, .training)  // [N, 3, H, W] → [N, 3, H, W]
/// ```
public struct BatchNorm2d: Module {
  /// The scale, `[channels]`, initially 1.
  public let weight: Tensor
  /// The shift, `[channels]`, initially 0.
  public let bias: Tensor
  /// The running mean, `[channels]`, initially 0.
  public let runningMean: Tensor
  /// The running variance, `[channels]`, initially 1.
  public let runningVariance: Tensor
  /// The number of training batches so far, a scalar of type int64.
  public let batchesTracked: Tensor
  /// The processes whose batches are normalised together in training; `nil` to normalise each separately.
  public let group: ProcessGroup?

  /// Creates a layer with the initial parameters and buffers.
  /// - Parameters:
  ///   - channels: C of its input, `[N, C, H, W]`.
  ///   - group: The processes whose batches are normalised together in training, as in `torch.nn.SyncBatchNorm`.
  ///     Default: none.
  ///   - initialiser: Creates the parameters and buffers.
  public init(_ channels: Int, over group: ProcessGroup? = nil, from initialiser: Initialiser) throws {
    self.group = group
    weight = try initialiser.constant(1, shape: [channels])
    bias = try initialiser.constant(0, shape: [channels])
    runningMean = try initialiser.buffer(0, shape: [channels])
    runningVariance = try initialiser.buffer(1, shape: [channels])
    batchesTracked = try initialiser.buffer(0, shape: [], type: .int64)
  }

  /// Normalises a batch of shape `[N, channels, H, W]`, then optionally adds a tensor and applies ReLU.
  ///
  /// A single value per channel (one image with a 1 x 1 feature map) has no variance, and PyTorch rejects it. Here it is
  /// normalised with the running statistics, so that a last batch of one image can be trained on.
  /// - Parameters:
  ///   - input: `[N, channels, H, W]`, float32.
  ///   - mode: Whether batch statistics are used and the running statistics updated.
  ///   - addend: A tensor of the same shape to add after normalisation, if any.
  ///   - rectifies: Whether ReLU is applied last. Default `false`.
  /// - Throws: `OnePassError`: `engine` if the shapes do not fit, `io` if another process was lost.
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

/// A fully connected layer, initialised as in PyTorch: weight and bias uniformly within ±1/√inputs.
///
/// ```swift
/// let head = try Linear(64, 10, from: Initialiser(seed: 1))
/// let logits = try head(tensor)  // [N, 64] → [N, 10]
/// ```
public struct Linear: Module {
  /// The weight, `[outputs, inputs]`.
  public let weight: Tensor
  /// The bias, `[outputs]`.
  public let bias: Tensor

  /// Creates a layer with random parameters.
  public init(_ inputs: Int, _ outputs: Int, from initialiser: Initialiser) throws {
    let bound = 1 / Double(inputs).squareRoot()
    weight = try initialiser.uniform(shape: [outputs, inputs], bound: bound)
    bias = try initialiser.uniform(shape: [outputs], bound: bound)
  }

  /// The number of outputs.
  public var outputs: Int { bias.count }

  /// Adds outputs with random parameters, as ``init(_:_:from:)`` draws them. The others stay, and gradients are cleared.
  /// - Returns: The new rows of the weight and of the bias.
  public func addOutputs(_ count: Int, from initialiser: Initialiser) throws -> (weight: Tensor, bias: Tensor)
  {
    let new = try Linear(weight.shape[1], count, from: initialiser)
    try weight.append(rows: new.weight)
    try bias.append(rows: new.bias)
    return (new.weight, new.bias)
  }

  /// Returns input · weightᵀ + bias: `[N, inputs]` → `[N, outputs]`.
  public func callAsFunction(_ input: Tensor) throws -> Tensor {
    try linear(input, weight: weight, bias: bias)
  }

  public var namedTensors: [NamedTensor] {
    [NamedTensor("weight", weight, .parameter), NamedTensor("bias", bias, .parameter)]
  }
}
