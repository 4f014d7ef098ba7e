import OnePassTorch

/// The parameter groups of a model, each with an optimiser and a peak learning rate.
struct OptimiserGroups {
  private let groups: [(optimiser: any Optimiser, learningRate: Double)]
  private let device: Device

  init(_ configuration: RunConfiguration, _ parameters: [(name: String, tensor: Tensor)], on device: Device)
    throws
  {
    self.device = device
    typealias Parameters = [(name: String, tensor: Tensor)]
    func sgd(_ parameters: Parameters, weightDecay: Double) throws -> (any Optimiser, Double)? {
      guard !parameters.isEmpty else { return nil }
      let optimiser = try SGD(
        parameters: parameters, momentum: configuration.recipe.momentum, nesterov: true,
        weightDecay: weightDecay)
      return (optimiser, configuration.recipe.learningRate)
    }
    var (turned, plain): (Parameters, Parameters) = ([], parameters)
    if configuration.recipe.optimiser == .muon {
      let filters = parameters.filter { $0.tensor.shape.count == 4 }.dropFirst()
      let names = Set(filters.map(\.name))
      (turned, plain) = (Array(filters), parameters.filter { !names.contains($0.name) })
    }
    // One group per treatment, since every group costs a call. Without weight decay, all parameters of SGD are one group.
    let sparesSome = configuration.recipe.weightDecayOn == .filters && configuration.recipe.weightDecay > 0
    let decayed = sparesSome ? plain.filter { $0.tensor.shape.count > 1 } : plain
    let spared = sparesSome ? plain.filter { $0.tensor.shape.count <= 1 } : []
    var groups = [
      try sgd(decayed, weightDecay: configuration.recipe.weightDecay), try sgd(spared, weightDecay: 0),
    ].compactMap { $0 }
    if !turned.isEmpty {
      let muon = try Muon(
        parameters: turned, momentum: configuration.recipe.momentum, nesterov: true,
        weightDecay: configuration.recipe.muonWeightDecay)
      groups.append((muon, configuration.recipe.muonLearningRate))
    }
    self.groups = groups
  }

  /// Makes an update.
  /// - Parameter factor: The learning rate as a fraction of each group's peak.
  func step(factor: Double) throws {
    for group in groups { try group.optimiser.step(learningRate: factor * group.learningRate) }
  }

  /// The learning rate of each group, `[groups]`, as a tensor on the device.
  func learningRates(factor: Double) throws -> Tensor {
    try Tensor(groups.map { Float(factor * $0.learningRate) }, shape: [groups.count], on: device)
  }

  /// Makes an update with learning rates that the device reads when it executes the update.
  func step(learningRates: Tensor) throws {
    for (index, group) in groups.enumerated() {
      try group.optimiser.step(
        learningRate: learningRates.narrowed(from: index, length: 1).reshaped([]))
    }
  }

  func zeroGradients() throws {
    for group in groups { try group.optimiser.zeroGradients() }
  }

  /// The momentum of every parameter.
  var stateDictionary: StateDictionary {
    StateDictionary(groups.flatMap(\.optimiser.stateDictionary.entries))
  }
}
