import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// The model and its optimiser: makes an update from a weighted mini-batch.
///
/// It owns all tensors of a run, and is used on the training thread only.
final class Learner: BatchLearner {
  let model: any ImageClassifier
  let optimiser: OptimiserGroups
  let device: Device
  private let precision: Precision
  private let transfer: BatchTransfer
  private let peakLearningRate: Double
  private let schedule: LearningRateSchedule
  private let plannedUpdates: Int
  /// The requested cool-down, if any.
  var coolDown: CoolDown?
  private let recorded: RecordedUpdate?
  /// The moving average of the weights, if the run has one.
  private let average: WeightAverage?
  /// The targets of the run, if they are more than the label.
  private var softTargets: SoftTargets?
  /// Sums gradients over ranks, if there are several.
  private var reducer: GradientReducer?
  private let ranks: Ranks
  private let configuration: RunConfiguration
  private(set) var updatesMade = 0
  /// Mini-batches whose gradients are accumulated for the next update.
  private var accumulated = 0

  init(
    model: any ImageClassifier, device: Device, normalisation: Normalisation, configuration: RunConfiguration,
    plan: TrainingPlan, ranks: Ranks = Ranks(nil)
  ) throws {
    try Engine.prepare(device)
    self.model = model
    self.device = device
    (self.configuration, self.ranks) = (configuration, ranks)
    precision = configuration.machine.precision
    transfer = try BatchTransfer(to: device, normalisation: normalisation)
    optimiser = try OptimiserGroups(configuration, model.parameters, on: device)
    peakLearningRate = configuration.recipe.learningRate
    schedule = configuration.learningRateSchedule
    average =
      configuration.recipe.weightAverage > 0
      ? try WeightAverage(of: model.stateDictionary, decay: configuration.recipe.weightAverage) : nil
    softTargets = SoftTargets(configuration, classes: model.classes)
    plannedUpdates = plan.updates
    recorded =
      configuration.machine.cudaGraphs ? RecordedUpdate(batchSize: configuration.recipe.batchSize) : nil
    try makeReducer()
  }

  /// A model without classes trains nothing yet.
  private func makeReducer() throws {
    guard model.classes > 0 else { return }
    reducer = try ranks.group.map { try GradientReducer(of: model.parameters.map(\.tensor), over: $0) }
  }

  /// The state of the learner, except weights and momentum.
  struct State: Codable {
    var updates: Int
    var coolDown: CoolDown?
  }

  var state: State { State(updates: updatesMade, coolDown: coolDown) }

  /// Continues from the state of another learner.
  /// - Parameters:
  ///   - weights: Its weights and running statistics; `nil` if they are already in place.
  ///   - optimiser: Its ``optimiserState``; `nil` if it is already in place.
  func restore(_ state: State, weights: StateDictionary?, optimiser: StateDictionary?) throws {
    if let weights { try model.stateDictionary.load(from: weights) }
    if let optimiser { try optimiserState.load(from: optimiser) }
    updatesMade = state.updates
    coolDown = state.coolDown
  }

  /// The momentum and, if the run has one, the moving average of the weights. Resuming needs both besides the weights.
  var optimiserState: StateDictionary {
    let averages = average?.stateDictionary.entries.map {
      (name: Self.averagePrefix + $0.name, tensor: $0.tensor)
    }
    return StateDictionary(optimiser.stateDictionary.entries + (averages ?? []))
  }

  /// The moving average in the saved ``optimiserState`` of a run; `nil` if it has none.
  static func average(in optimiserState: StateDictionary) -> StateDictionary? {
    let entries = optimiserState.entries.filter { $0.name.hasPrefix(averagePrefix) }
    guard !entries.isEmpty else { return nil }
    return StateDictionary(
      entries.map { (name: String($0.name.dropFirst(averagePrefix.count)), tensor: $0.tensor) })
  }

  private static let averagePrefix = "average."

  /// The weights and statistics of the final evaluation: the moving average, if the run has one.
  var evaluatedState: StateDictionary { average?.stateDictionary ?? model.stateDictionary }

  /// Replaces the model's weights by their moving average, if the run has one.
  func adoptAverage() throws {
    if let average { try model.stateDictionary.load(from: average.stateDictionary) }
  }

  /// Runs `body` with the weights and statistics that the final evaluation would use: the moving average, if the run has one,
  /// and those of the first rank. Restores every bit afterwards.
  func withEvaluatedWeights<Result>(over ranks: Ranks, _ body: () throws -> Result) throws -> Result {
    guard average != nil || ranks.count > 1 else { return try body() }
    let state = model.stateDictionary
    let kept = StateDictionary(try state.entries.map { (name: $0.name, tensor: try $0.tensor.copied()) })
    let result: Result
    do {
      try adoptAverage()
      try ranks.group?.broadcast(state.entries.map(\.tensor))
      result = try body()
    } catch {
      try state.load(from: kept)
      throw error
    }
    try state.load(from: kept)
    return result
  }

  /// Copies the first rank's weights, statistics and momentum to all ranks.
  func share(over ranks: Ranks) throws {
    let state = model.stateDictionary.entries + optimiserState.entries
    try ranks.group?.broadcast(state.map(\.tensor))
  }

  /// Checks that all ranks have the same weights. Running statistics may differ.
  /// - Throws: `OnePassError` (`usage`) on every rank, with the first weight that differs, and the ranks.
  func checkAgreement(over ranks: Ranks) throws {
    try ranks.group?.ensureAgreement(of: "the model's weights", StateDictionary(model.parameters))
  }

  /// The learning rate of the last update.
  private(set) var learningRate = 0.0

  func isIdle() throws -> Bool { try Engine.isIdle(device) }

  func train(_ batch: WeightedBatch) throws -> any ForwardPass {
    guard let recorded, batch.images.count == recorded.batchSize else {
      let pass = try accumulate(batch, share: 1, isLast: true)
      try update()
      return pass
    }
    var weighted = batch
    weighted.weights = batch.weights ?? Array(repeating: 1, count: batch.images.count)
    let task = try prepare(weighted, alwaysSoft: true)
    let rates = try optimiser.learningRates(factor: beginUpdate())
    let inputs = [rates] + task.tensors
    let (losses, logits) = try recorded.launch(inputs) { [unowned self] inputs in
      let (objective, (losses, logits)) = try forward(Task(Array(inputs.dropFirst())), of: nil) { ($0, $1) }
      try objective.backward()
      try optimiser.step(learningRates: inputs[0])
      try optimiser.zeroGradients()
      return (losses, logits)
    }
    try endUpdate()
    return try FetchedPass(losses: losses, logits: logits, of: batch, notes: noteMaker(batch))
  }

  func accumulate(_ batch: WeightedBatch, share: Double, isLast: Bool) throws -> any ForwardPass {
    let task = try prepare(batch)
    accumulated += 1
    let forward = {
      // The copy starts before the backward pass, so that reading the losses does not wait for it.
      try self.forward(task, of: batch.totalWeight) {
        try FetchedPass(losses: $0, logits: $1, of: batch, notes: self.noteMaker(batch))
      }
    }
    let (objective, pass) = try reducer?.forward(sums: isLast, forward) ?? forward()
    let scaled = share == 1 ? objective : try objective * share
    if let reducer { try reducer.backward(from: scaled) } else { try scaled.backward() }
    return pass
  }

  /// Makes the notes of a mini-batch; `nil` if none are stored.
  private func noteMaker(_ batch: WeightedBatch) -> (any ReplayNotes)? {
    softTargets?.noteMaker(isReplayed: batch.isReplayed)
  }

  /// A mini-batch as tensors on the device.
  private struct Task {
    var images: Tensor
    var labels: Tensor
    /// w_i; 1 each if `nil`.
    var weights: Tensor?
    /// q, `[N, classes]`, if the targets are more than the label.
    var targets: Tensor?

    /// The inputs of a recorded update, which always has weights.
    var tensors: [Tensor] { [images, labels] + [weights, targets].compactMap { $0 } }

    init(images: Tensor, labels: Tensor, weights: Tensor?, targets: Tensor?) {
      (self.images, self.labels, self.weights, self.targets) = (images, labels, weights, targets)
    }

    init(_ tensors: [Tensor]) {
      self.init(
        images: tensors[0], labels: tensors[1], weights: tensors[2],
        targets: tensors.count > 3 ? tensors[3] : nil)
    }
  }

  /// - Parameter alwaysSoft: Whether to return soft targets, if the run has any, even for a mini-batch that does not need them.
  private func prepare(_ batch: WeightedBatch, alwaysSoft: Bool = false) throws -> Task {
    let count = batch.images.count
    let (images, labels) = try transfer(batch.images)
    let mixture =
      batch.isReplayed && count > 0
      ? softTargets?.mixture(update: updatesMade, part: accumulated, shape: images.shape) : nil
    let weights = mixture.map { mixture in batch.weights.map { mixture.mixed($0) } } ?? batch.weights
    let targets = try softTargets.flatMap { soft in
      try alwaysSoft || soft.isNeeded(batch.notes, mixture)
        ? soft.targets(batch.images.labels, batch.notes, mixture) : nil
    }
    return Task(
      images: try mixture?(images) ?? images, labels: labels,
      weights: try weights.map { try Tensor($0, shape: [count], on: device) },
      targets: try targets.map { try Tensor($0, shape: [count, model.classes], on: device) })
  }

  /// - Parameter observe: Receives ℓ `[N]`, the losses of the true labels even with soft targets, and the logits
  ///   `[N, classes]`.
  private func forward<Result>(
    _ task: Task, of total: Double?, _ observe: (Tensor, Tensor) throws -> Result
  ) throws -> (objective: Tensor, result: Result) {
    let (trained, losses, logits) = try withPrecision(precision, on: device) {
      let logits = try model(task.images, .training)
      guard let targets = task.targets else {
        let losses = try crossEntropy(logits, labels: task.labels)
        return (losses, try losses.detached(), try logits.detached())
      }
      let detached = try logits.detached()
      return (
        try crossEntropy(logits, targets: targets), try crossEntropy(detached, labels: task.labels), detached
      )
    }
    let result = try observe(losses, logits)
    guard let total else { return (try weightedMean(trained, weights: task.weights), result) }
    return (try (task.weights.map { try trained * $0 } ?? trained).sum() * (1 / total), result)
  }

  func update() throws {
    try optimiser.step(factor: beginUpdate())
    try optimiser.zeroGradients()
    try endUpdate()
  }

  /// The learning rate of the next update as a fraction of the peak.
  private func beginUpdate() -> Double {
    let factor = schedule.factor(ofUpdate: updatesMade, of: plannedUpdates, coolingDown: coolDown)
    learningRate = factor * peakLearningRate
    return factor
  }

  private func endUpdate() throws {
    updatesMade += 1
    accumulated = 0
    try average?.take(afterUpdate: updatesMade)
  }
}

extension Learner {
  /// Adds outputs to the last layer, its momentum (zero) and its average (the new weights).
  ///
  /// The weights of a class depend on the seed and its label only, not on when it is found.
  /// - Throws: `OnePassError` (`engine`) if memory is exhausted.
  func grow(to classes: Int) throws {
    guard model.classes < classes, let head = model.head else { return }
    let names = model.namedTensors.reduce(into: [ObjectIdentifier: String]()) {
      $0[ObjectIdentifier($1.tensor)] = $1.name
    }
    // The hooks of the old one are on tensors of the old shape.
    reducer = nil
    for label in model.classes..<classes {
      var generator = SeededGenerator(seed: configuration.seed, .newClass, label)
      let new = try head.addOutputs(1, from: Initialiser(seed: generator.next(), device: device))
      for (parameter, rows) in [(head.weight, new.weight), (head.bias, new.bias)] {
        guard let name = names[ObjectIdentifier(parameter)] else {
          preconditionFailure("The last layer must be a part of its model.")
        }
        try optimiser.stateDictionary.grow(name, by: rows.zerosLike())
        try average?.stateDictionary.grow(name, by: rows)
      }
    }
    softTargets = SoftTargets(configuration, classes: classes)
    try makeReducer()
  }
}
