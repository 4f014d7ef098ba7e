import OnePassTorch

extension ResNet {
  /// Convolutions with batch normalisation and a shortcut.
  ///
  /// A basic block has two 3x3 convolutions. A bottleneck has a 1x1, a 3x3 and a 1x1 convolution, the last four times as wide.
  struct Block: Module {
    private let convolutions: [Conv2d]
    private let normalisations: [BatchNorm2d]
    /// The shortcut's 1x1 convolution and batch normalisation, if the shape changes.
    private let downsample: (conv: Conv2d, bn: BatchNorm2d)?

    init(
      _ inputs: Int, width: Int, stride: Int, bottleneck: Bool, options: LayerOptions,
      from initialiser: Initialiser
    ) throws {
      let (blurs, group) = (options.blursBeforeStrides, options.normalisationGroup)
      let outputs = bottleneck ? 4 * width : width
      if bottleneck {
        convolutions = try [
          Conv2d(inputs, width, size: 1, from: initialiser),
          Conv2d(
            width, width, size: 3, stride: stride, padding: 1, blursBeforeStride: blurs, from: initialiser),
          Conv2d(width, outputs, size: 1, from: initialiser),
        ]
      } else {
        convolutions = try [
          Conv2d(
            inputs, width, size: 3, stride: stride, padding: 1, blursBeforeStride: blurs, from: initialiser),
          Conv2d(width, width, size: 3, padding: 1, from: initialiser),
        ]
      }
      normalisations = try convolutions.map {
        try BatchNorm2d($0.weight.shape[0], over: group, from: initialiser)
      }
      if stride != 1 || inputs != outputs {
        downsample = try (
          Conv2d(inputs, outputs, size: 1, stride: stride, blursBeforeStride: blurs, from: initialiser),
          BatchNorm2d(outputs, over: group, from: initialiser)
        )
      } else {
        downsample = nil
      }
    }

    func callAsFunction(_ input: Tensor, _ mode: Mode) throws -> Tensor {
      // In a basic block the first convolution has the stride of the shortcut, so they share the blurred input.
      let first = convolutions[0]
      let sharesBlurred = downsample?.conv.stride == first.stride
      var (x, skipped) = try (sharesBlurred ? first.blurred(input) : input).forked()
      if !sharesBlurred { x = try first.blurred(x) }
      let shortcut =
        try downsample.map { conv, bn in
          try conv.convolved(sharesBlurred ? skipped : conv.blurred(skipped), bn, mode, rectifies: false)
        } ?? skipped
      for (index, (conv, bn)) in zip(convolutions, normalisations).enumerated() {
        let isLast = index == convolutions.count - 1
        x = try conv.convolved(
          index == 0 ? x : conv.blurred(x), bn, mode, adding: isLast ? shortcut : nil, rectifies: true)
      }
      return x
    }

    var namedTensors: [NamedTensor] {
      var parts: [(name: String, module: any Module)] = []
      for (index, (conv, bn)) in zip(convolutions, normalisations).enumerated() {
        parts += [("conv\(index + 1)", conv), ("bn\(index + 1)", bn)]
      }
      if let downsample { parts += [("downsample.0", downsample.conv), ("downsample.1", downsample.bn)] }
      return OnePassTorch.namedTensors(of: parts)
    }
  }
}
