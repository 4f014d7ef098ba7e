import OnePassCore
import OnePassModels
import OnePassTorch
import TestSupport

/// The rows of a batch that belong to a rank: `sizes[rank]` of them, after those of the ranks before.
private func share(_ batch: Tensor, _ group: ProcessGroup?, _ sizes: [Int]) throws -> Tensor {
  guard let group else { return batch }
  return try batch.narrowed(
    dimension: 0, from: sizes.prefix(group.rank).reduce(0, +), length: sizes[group.rank])
}

/// Forward and backward pass of a batch normalisation, in the cases of Tools/reference_synchronised.py.
func normalise(_ group: ProcessGroup?, sizes: [Int]) throws -> [String: [Double]] {
  let count = sizes.reduce(0, +)
  var values: [String: [Double]] = [:]
  // 16 channels take the kernels, 5 take libtorch's operators.
  for (index, channels) in [16, 5].enumerated() {
    for rectifies in [false, true] {
      let shape = [count, channels, 3, 3]
      let elements = shape.reduce(1, *)
      func batch(_ number: Int, times factor: Float = 1, plus shift: Float = 0) throws -> Tensor {
        let all = try Tensor(
          referenceNumbers(10 * index + number, count: elements).map { $0 * factor + shift }, shape: shape)
        return try share(all, group, sizes).channelsLast()
      }
      func perChannel(_ number: Int) throws -> Tensor {
        try Tensor(referenceNumbers(10 * index + number, count: channels), shape: [channels])
      }
      let (x, addend, slope) = try (batch(0, times: 2, plus: 5), batch(1), batch(2))
      let (weight, bias) = try (perChannel(3), perChannel(4))
      let (mean, variance) = try (
        Tensor.full(0, shape: [channels]), Tensor.full(1, shape: [channels])
      )
      for tensor in [x, addend, weight, bias] { try tensor.setRequiresGradient(true) }
      let y = try batchNorm(
        x, weight: weight, bias: bias, runningMean: mean, runningVariance: variance, adding: addend,
        rectifies: rectifies, training: true, over: group)
      try (y * slope).sum().backward()
      let name = "\(channels)\(rectifies ? " rectified" : "")"
      for (part, tensor) in [
        ("y", y), ("x", try x.grad), ("addend", try addend.grad), ("weight", try weight.grad),
        ("bias", try bias.grad), ("mean", mean), ("variance", variance),
      ] {
        values["\(name) \(part)"] = try tensor?.floats().map(Double.init) ?? []
      }
    }
  }
  return values
}

private func images(_ number: Int, _ count: Int) throws -> (Tensor, Tensor) {
  let images = try Tensor(referenceNumbers(number, count: count * 3 * 16 * 16), shape: [count, 3, 16, 16])
  let labels = try Tensor((0..<count).map { Int64(($0 + number) % 10) }, shape: [count])
  return (images, labels)
}

/// A network without max(x, 0), at whose kink a rounding error can change a gradient by any amount.
private struct SmoothNetwork: Module {
  let layers: [(conv: Conv2d, bn: BatchNorm2d)]
  let fc: Linear

  init(over group: ProcessGroup?, from initialiser: Initialiser) throws {
    layers = try [(3, 16), (16, 24)].map {
      try (
        Conv2d($0.0, $0.1, size: 3, padding: 1, from: initialiser),
        BatchNorm2d($0.1, over: group, from: initialiser)
      )
    }
    fc = try Linear(24, 10, from: initialiser)
  }

  func callAsFunction(_ images: Tensor) throws -> Tensor {
    var x = images
    for layer in layers { x = try layer.bn(layer.conv(x), .training) }
    // After a normalisation the mean is the shift, whatever the images: the square is not.
    return try fc((x * x).adaptiveAveragePool2d().flattened())
  }

  var namedTensors: [NamedTensor] {
    layers.flatMap { $0.conv.namedTensors + $0.bn.namedTensors } + fc.namedTensors
  }
}

/// The gradients of a network on two batches, twice.
/// - Parameter updates: `sequential`: summed after each pass, cleared between them; `joint`: summed once.
func differentiate(_ group: ProcessGroup?, updates: String, sizes: [Int]) throws -> [String: [Double]] {
  let model = try SmoothNetwork(
    over: group, from: Initialiser(seed: UInt64(group?.rank ?? 0)))
  // The weights of rank 0 count.
  try group?.broadcast(model.namedTensors.map(\.tensor))
  let parameters = model.parameters.map(\.tensor)
  let reducer = try group.map { try GradientReducer(of: parameters, over: $0, bucketBytes: 1 << 12) }
  let count = sizes.reduce(0, +)
  var values: [String: [Double]] = [:]
  // Twice, as the buckets change after the first time.
  for round in 0..<2 {
    for pass in 0..<2 {
      let (images, labels) = try images(2 * round + pass, count)
      let sums = updates == "sequential" || pass == 1
      func objective() throws -> Tensor {
        let losses = try crossEntropy(
          model(share(images, group, sizes).channelsLast()), labels: share(labels, group, sizes))
        return try losses.sum() * (1 / Double(count))
      }
      if let reducer {
        try reducer.backward(from: reducer.forward(sums: sums, objective))
      } else {
        try objective().backward()
      }
      guard sums else { continue }
      for (index, tensor) in parameters.enumerated() {
        values["\(round) \(pass) \(index)"] = try tensor.grad?.floats().map(Double.init) ?? []
        try tensor.clearGradient()
      }
    }
  }
  return values
}

/// The losses of a few updates of a small network with momentum.
func train(_ group: ProcessGroup?, steps: Int, learningRate: Double, sizes: [Int]) throws -> [String:
  [Double]]
{
  let model = try ModelRegistry.make(
    "resnet8", classes: 10, channels: 3, stem: .small, seed: 1, device: .cpu,
    options: LayerOptions(normalisationGroup: group))
  let optimiser = try SGD(parameters: model.parameters)
  let reducer = try group.map { try GradientReducer(of: model.parameters.map(\.tensor), over: $0) }
  let count = sizes.reduce(0, +)
  var means: [Double] = []
  for step in 0..<steps {
    let (images, labels) = try images(step % 5, count)
    func losses() throws -> Tensor {
      try crossEntropy(
        model(share(images, group, sizes).channelsLast(), .training), labels: share(labels, group, sizes))
    }
    let own = try reducer.map { try $0.forward(losses) } ?? losses()
    let objective = try own.sum() * (1 / Double(count))
    if let reducer { try reducer.backward(from: objective) } else { try objective.backward() }
    try optimiser.step(learningRate: learningRate)
    try optimiser.zeroGradients()
    let sum = try own.detached().floats().reduce(0.0) { $0 + Double($1) }
    means.append(try (group?.sum([sum]) ?? [sum])[0] / Double(count))
  }
  try group?.ensureAgreement(of: "the weights", model.stateDictionary)
  return ["losses": means]
}
