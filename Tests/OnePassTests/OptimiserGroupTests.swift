import OnePassModels
import OnePassTorch
import Testing

@testable import OnePass

/// Which parameter is treated how, seen from what one update without any gradient leaves of it: only the decay.
@Suite("Groups of the optimiser's parameters") struct OptimiserGroupTests {
  /// What is left of each parameter, by name.
  func remainders(
    isRateHeld: Bool = false, _ change: (inout RunConfiguration) -> Void
  ) throws -> [String: Double] {
    var configuration = RunConfiguration(data: "test")
    (configuration.recipe.learningRate, configuration.recipe.weightDecay, configuration.recipe.momentum) = (
      0.2, 0.5, 0.5
    )
    change(&configuration)
    let model = try ModelRegistry.make(
      "resnet8", classes: 4, channels: 3, stem: .small, seed: 1, device: .cpu)
    let groups = try OptimiserGroups(configuration, model.parameters, on: .cpu)
    #expect(Set(groups.stateDictionary.names) == Set(model.parameters.map(\.name)))
    var before: [String: Float] = [:]
    for (name, tensor) in model.parameters {
      // Biases and shifts begin at 0, which no decay moves.
      try tensor.copy(from: Tensor.full(2, shape: tensor.shape))
      before[name] = 2
      try (tensor * 0).sum().backward()
    }
    if isRateHeld {
      try groups.step(learningRates: groups.learningRates(factor: 0.5))
    } else {
      try groups.step(factor: 0.5)
    }
    return try Dictionary(
      uniqueKeysWithValues: model.parameters.map { ($0.name, Double(try $0.tensor.floats()[0]) / 2) })
  }

  // η·λ·(1 + μ): the first step of Nesterov's momentum.
  let decayed = 1 - 0.5 * 0.2 * 0.5 * 1.5
  let names = ["conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.conv1.weight", "fc.weight", "fc.bias"]

  func expect(_ remainders: [String: Double], _ expected: [Double]) {
    for (name, value) in zip(names, expected) {
      #expect(abs((remainders[name] ?? 0) - value) < 1e-6, "\(name): \(remainders[name] ?? 0)")
    }
  }

  @Test("Weight decay applies to all parameters or to filters only")
  func theDecayTakesHoldOfAllOrOfFiltersAlone() throws {
    expect(try remainders { _ in }, Array(repeating: decayed, count: 6))
    expect(try remainders { $0.recipe.weightDecayOn = .filters }, [decayed, 1, 1, decayed, decayed, 1])
  }

  @Test("Muon optimises the inner filters", arguments: [false, true])
  func muonHasTheInnerFilters(isRateHeld: Bool) throws {
    let turned = 1 - 0.5 * 0.02 * 3
    let left = try remainders(isRateHeld: isRateHeld) {
      ($0.recipe.optimiser, $0.recipe.muonWeightDecay, $0.recipe.weightDecayOn) = (.muon, 3, .filters)
    }
    expect(left, [decayed, 1, 1, turned, decayed, 1])
    #expect(left.filter { abs($0.value - turned) < 1e-6 }.count == 6)
  }
}
