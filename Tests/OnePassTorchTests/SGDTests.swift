import Foundation
import OnePassCore
import OnePassTorch
import TestSupport
import Testing

@Suite("The SGD optimiser") struct SGDTests {
  struct Trajectory: Decodable, CustomTestStringConvertible {
    let momentum: Double
    let nesterov: Bool
    let weightDecay: Double
    let a: [Double]
    let b: [Double]
    var testDescription: String { "momentum \(momentum), nesterov \(nesterov), weight decay \(weightDecay)" }
  }

  static func trajectories() throws -> [Trajectory] {
    try JSONDecoder().decode([Trajectory].self, from: Data(contentsOf: fixture("sgd.json")))
  }

  /// Two parameters as in the script: one in channels-last format, one without a gradient in steps 0 and 3.
  struct Problem {
    let a: Tensor
    let b: Tensor
    let optimiser: SGD

    init(_ trajectory: Trajectory) throws {
      a = try Tensor(referenceNumbers(0, count: 108), shape: [4, 3, 3, 3]).channelsLast()
      b = try Tensor(referenceNumbers(1, count: 5), shape: [5])
      try a.setRequiresGradient(true)
      try b.setRequiresGradient(true)
      optimiser = try SGD(
        parameters: [("a", a), ("b", b)], momentum: trajectory.momentum, nesterov: trajectory.nesterov,
        weightDecay: trajectory.weightDecay)
    }

    func step(_ step: Int, isRateHeld: Bool = false) throws {
      try optimiser.zeroGradients()
      var loss =
        try (a * Tensor(referenceNumbers(10 + step, count: 108), shape: [4, 3, 3, 3])).sum() + (a * a).sum()
      if step != 0 && step != 3 {
        loss = try loss + (b * Tensor(referenceNumbers(20 + step, count: 5), shape: [5])).sum()
      }
      try loss.backward()
      let rate = 0.1 / Double(step + 1)
      if isRateHeld {
        try optimiser.step(learningRate: Tensor([Float(rate)], shape: []))
      } else {
        try optimiser.step(learningRate: rate)
      }
    }
  }

  @Test("Six steps match torch.optim.SGD", arguments: try trajectories(), [false, true])
  func equalsPyTorch(_ trajectory: Trajectory, isRateHeld: Bool) throws {
    let problem = try Problem(trajectory)
    for step in 0..<6 { try problem.step(step, isRateHeld: isRateHeld) }
    // Numbers of order 1 with about 20 float32 rounding errors (2^-24) each: 2e-6 leaves a margin.
    for (tensor, expected) in [(problem.a, trajectory.a), (problem.b, trajectory.b)] {
      for (value, reference) in zip(try tensor.floats(), expected) {
        #expect(abs(Double(value) - reference) < 2e-6)
      }
    }
  }

  @Test("Training with restored momentum continues bit-identically")
  func restoredMomentum() throws {
    let trajectory = try Self.trajectories()[1]
    let whole = try Problem(trajectory)
    for step in 0..<6 { try whole.step(step) }

    let first = try Problem(trajectory)
    for step in 0..<3 { try first.step(step) }
    let second = try Problem(trajectory)
    try second.a.copy(from: first.a)
    try second.b.copy(from: first.b)
    try second.optimiser.stateDictionary.load(from: first.optimiser.stateDictionary)
    for step in 3..<6 { try second.step(step) }
    #expect(try second.a.floats() == whole.a.floats())
    #expect(try second.b.floats() == whole.b.floats())
  }

  @Test(
    "An impossible setting is a usage error",
    arguments: [(1.0, 0.0), (-0.1, 0.0), (0.9, -1.0), (0.9, .nan)])
  func impossibleSettings(momentum: Double, weightDecay: Double) {
    #expect {
      try SGD(parameters: [], momentum: momentum, weightDecay: weightDecay)
    } throws: {
      ($0 as? OnePassError)?.code == .usage
    }
  }
}
