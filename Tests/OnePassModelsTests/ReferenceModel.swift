import Foundation
import OnePassModels
import OnePassTorch
import Testing

/// The results of Tools/reference_models.py in float64 for one model.
struct ReferenceCase: Decodable, CustomTestStringConvertible {
  struct Gradient: Decodable {
    let name: String
    let norm: Double
    let dots: [Double]
  }

  let model: String
  let classes: Int
  let channels: Int
  let stem: Stem
  let batch: Int
  let size: Int
  let blurPool: Bool?
  let residualScale: Double
  let learningRate: Double
  let weightDecay: Double
  let evaluationLogits: [Double]
  let trainingLogits: [Double]
  let gradients: [Gradient]
  let losses: [Double]
  let runningNorms: [Double]

  var testDescription: String {
    "\(model), \(stem.rawValue) stem, \(channels) channels\(blurPool == true ? ", blurred" : "")"
  }

  static func all() throws -> [ReferenceCase] {
    try JSONDecoder().decode([ReferenceCase].self, from: Data(contentsOf: fixture("references.json")))
  }

  /// Creates the model with the weights of `fill` in the script, which explains them.
  func makeModel() throws -> any ImageClassifier {
    let model = try ModelRegistry.make(
      self.model, classes: classes, channels: channels, stem: stem, seed: 0, device: .cpu,
      options: LayerOptions(blursBeforeStrides: blurPool ?? false))
    let state = model.stateDictionary
    let lastOfBlock = state["layer1.0.bn3.weight"] == nil ? "bn2" : "bn3"
    for (index, (name, tensor)) in state.entries.enumerated() where !name.hasSuffix("num_batches_tracked") {
      let (shape, path) = (tensor.shape, name.split(separator: "."))
      let isLast = path[path.count - 2] == lastOfBlock
      let numbers =
        switch (shape.count, path[path.count - 1]) {
        case (4, _): ReferenceNumbers(index, scale: (6 / Double(shape[0] * shape[2] * shape[3])).squareRoot())
        case (2, _): ReferenceNumbers(index, scale: 1 / Double(shape[1]).squareRoot())
        case (_, "running_var"): ReferenceNumbers(index, scale: 0.25, offset: 1)
        case (_, "weight"): ReferenceNumbers(index, scale: 0.1, offset: isLast ? residualScale : 1)
        case (_, "bias") where isLast: ReferenceNumbers(index, scale: 0.25, offset: 0.5)
        case (_, "bias") where name != "fc.bias": ReferenceNumbers(index, scale: 0.5)
        default: ReferenceNumbers(index, scale: 0.1)
        }
      var values = numbers.floats(tensor.count)
      if path.last == "bias", !isLast, name != "fc.bias" { values = values.map { $0 + ($0 < 0 ? -3 : 3) } }
      try tensor.copy(from: Tensor(values, shape: shape))
    }
    return model
  }

  func images(_ step: Int) throws -> Tensor {
    let shape = [batch, channels, size, size]
    return try Tensor(ReferenceNumbers(1000 + step, scale: 1.7).floats(shape.reduce(1, *)), shape: shape)
      .channelsLast()
  }

  func labels() throws -> Tensor {
    try Tensor((0..<batch).map { Int64((7 * $0 + 3) % classes) }, shape: [batch])
  }
}

/// The formula of the script: element j is offset + scale · TABLE[(7919 · index + j) mod 65537].
struct ReferenceNumbers {
  private static let table: [Double] = (0..<65537).map { position in
    var z = UInt64(position + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z = z ^ (z >> 31)
    return Double(z >> 40) * 0x1p-23 - 1
  }

  /// One period, starting with the first element of the tensor.
  private let period: [Float]

  init(_ index: Int, scale: Double, offset: Double = 0) {
    let start = 7919 * index % Self.table.count
    period = (Self.table[start...] + Self.table[..<start]).map { Float(offset + scale * $0) }
  }

  /// Appends whole periods, since appending 25 million single elements takes seconds in a debug build.
  func floats(_ count: Int) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(count)
    while values.count < count { values += period.prefix(count - values.count) }
    return values
  }
}

func fixture(_ name: String) throws -> URL {
  try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil)).appendingPathComponent(name)
}
