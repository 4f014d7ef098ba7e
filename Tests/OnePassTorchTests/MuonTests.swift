import Foundation
import OnePassCore
import OnePassTorch
import TestSupport
import Testing

@Suite("The Muon optimiser") struct MuonTests {
  /// The reference values: every fifth element of each parameter, and every 311th of more than 1,000.
  struct Trajectory: Decodable, CustomTestStringConvertible {
    let momentum: Double
    let nesterov: Bool
    let weightDecay: Double
    let shapes: [[Int]]
    /// Computed in float64.
    let values: [[Double]]
    /// Computed by torch.optim.Muon, which orthogonalises in bfloat16.
    let torch: [[Double]]
    var testDescription: String { "momentum \(momentum), nesterov \(nesterov), weight decay \(weightDecay)" }
  }

  static func trajectories() throws -> [Trajectory] {
    try JSONDecoder().decode([Trajectory].self, from: Data(contentsOf: fixture("muon.json")))
  }

  /// The parameters of the script; the third has no gradient in steps 0 and 3.
  struct Problem {
    let parameters: [Tensor]
    let optimiser: Muon

    init(_ trajectory: Trajectory, channelsLast: Bool = true) throws {
      parameters = try trajectory.shapes.enumerated().map { index, shape in
        let values = try Tensor(referenceNumbers(index, count: shape.reduce(1, *)), shape: shape)
        let parameter = try channelsLast && shape.count == 4 ? values.channelsLast() : values
        try parameter.setRequiresGradient(true)
        return parameter
      }
      optimiser = try Muon(
        parameters: parameters.enumerated().map { ("p\($0)", $1) }, momentum: trajectory.momentum,
        nesterov: trajectory.nesterov, weightDecay: trajectory.weightDecay)
    }

    func step(_ step: Int, isRateHeld: Bool = false) throws {
      try optimiser.zeroGradients()
      for (index, parameter) in parameters.enumerated() where !(index == 2 && [0, 3].contains(step)) {
        let fixed = try Tensor(
          referenceNumbers(10 * (index + 1) + step, count: parameter.count), shape: parameter.shape)
        try ((parameter * fixed).sum() + (parameter * parameter).sum()).backward()
      }
      let rate = 0.1 / Double(step + 1)
      if isRateHeld {
        try optimiser.step(learningRate: Tensor([Float(rate)], shape: []))
      } else {
        try optimiser.step(learningRate: rate)
      }
    }
  }

  @Test(
    "Six steps match the formulas in float64, and approximately torch.optim.Muon",
    arguments: try trajectories(), [(false, true), (true, true), (false, false)])
  func equalsTheReference(_ trajectory: Trajectory, _ variant: (isRateHeld: Bool, channelsLast: Bool)) throws
  {
    let problem = try Problem(trajectory, channelsLast: variant.channelsLast)
    for step in 0..<6 { try problem.step(step, isRateHeld: variant.isRateHeld) }
    for (index, parameter) in problem.parameters.enumerated() {
      let step = parameter.count > 1_000 ? 311 : 5
      let all = try parameter.floats()
      let values = stride(from: 0, to: all.count, by: step).map { Double(all[$0]) }
      try #require(values.count == trajectory.values[index].count)
      for (value, (reference, torch)) in zip(values, zip(trajectory.values[index], trajectory.torch[index])) {
        #expect(abs(value - reference) < 1e-5)
        // The script prints the error of bfloat16: 0.002.
        #expect(abs(value - torch) < 0.005)
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
    for (new, old) in zip(second.parameters, first.parameters) { try new.copy(from: old) }
    try second.optimiser.stateDictionary.load(from: first.optimiser.stateDictionary)
    for step in 3..<6 { try second.step(step) }
    for (a, b) in zip(second.parameters, whole.parameters) { #expect(try a.floats() == b.floats()) }
  }

  @Test("An update has a similar size in every direction, even if the gradient does not")
  func directionsAreAlike() throws {
    let weight = try Tensor.zeros(shape: [2, 2])
    try weight.setRequiresGradient(true)
    let optimiser = try Muon(parameters: [("w", weight)], momentum: 0)
    // Singular values 1 and 0.01.
    try (weight * Tensor([1, 0, 0, 0.01], shape: [2, 2])).sum().backward()
    try optimiser.step(learningRate: 1)
    let moved = try weight.floats()
    // The quintic iteration leaves singular values between about 0.68 and 1.13 (Jordan et al. 2024).
    #expect(moved[0] < -0.6 && moved[0] > -1.2 && moved[3] < -0.6 && moved[3] > -1.2, "\(moved)")
    #expect(moved[1] == 0 && moved[2] == 0)
  }

  @Test("An impossible setting is a usage error")
  func impossibleSettings() throws {
    let bias = try Tensor.zeros(shape: [3])
    for make in [
      { try Muon(parameters: [], momentum: 1) }, { try Muon(parameters: [], weightDecay: -1) },
      { try Muon(parameters: [("bias", bias)]) },
    ] {
      #expect { try make() } throws: { ($0 as? OnePassError)?.code == .usage }
    }
  }
}

@Suite("Weight averages") struct WeightAverageTests {
  /// a ← d·a + (1 − d)·w in float64, with d = min(decay, (1 + t) / (10 + t)).
  @Test("The average matches its formula", arguments: [0.9, 0.15])
  func averagesByTheFormula(decay: Double) throws {
    let weight = try Tensor([1, -2], shape: [2])
    try weight.setRequiresGradient(true)
    let count = try Tensor.full(0, shape: [], type: .int64)
    let average = try WeightAverage(of: StateDictionary([("w", weight), ("n", count)]), decay: decay)
    var expected = [1.0, -2.0]
    for update in 1...40 {
      let values = [sin(Double(update)), Double(update) / 10].map { Float($0) }
      try weight.copy(from: Tensor(values, shape: [2]))
      try count.copy(from: Tensor([Int64(update)], shape: []))
      try average.take(afterUpdate: update)
      let d = min(decay, (1 + Double(update)) / (10 + Double(update)))
      expected = zip(expected, values).map { d * $0 + (1 - d) * Double($1) }
    }
    let state = average.stateDictionary
    for (value, reference) in zip(try #require(state["w"]).floats(), expected) {
      // Forty rounding errors of numbers up to 4, most of them decayed.
      #expect(abs(Double(value) - reference) < 2e-6)
    }
    #expect(try #require(state["n"]).integers() == [40])
    // The average does not change the weights.
    #expect(try weight.floats()[1] == 4)
  }

  @Test("An impossible decay is a usage error", arguments: [-0.1, 1, .nan])
  func impossibleDecays(decay: Double) {
    #expect { try WeightAverage(of: StateDictionary(), decay: decay) } throws: {
      ($0 as? OnePassError)?.code == .usage
    }
  }
}
