import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// The model with its optimiser: turns a weighted mini-batch into an update.
///
/// All tensors of a run belong to it, on the thread that trains.
final class Learner: BatchLearner {
  let model: any ImageClassifier
  let optimiser: OptimiserGroups
  let device: Device
  private let precision: Precision
  private let transfer: BatchTransfer
  private let highestLearningRate: Double
  private let schedule: LearningRateSchedule
  private let plannedUpdates: Int
  /// The cool-down that the run was asked for, if any.
  var coolDown: CoolDown?
  private let recorded: RecordedUpdate?
  /// The average of the weights, where one is taken.
  private let average: WeightAverage?
  /// What is trained towards where that is not the label alone.
  private let softTargets: SoftTargets?
  /// Sums gradients over ranks, where there are several.
  private let reducer: GradientReducer?
  private(set) var updatesMade = 0
  /// Mini-batches whose gradients wait for the next update.
  private var gathered = 0

  init(
    model: any ImageClassifier, device: Device, normalisation: Normalisation, configuration: RunConfiguration,
    plan: TrainingPlan, ranks: Ranks = Ranks(nil)
  ) throws {
    try Engine.prepare(device)
    self.model = model
    self.device = device
    precision = configuration.machine.precision
    transfer = try BatchTransfer(to: device, normalisation: normalisation)
    optimiser = try OptimiserGroups(configuration, model.parameters, on: device)
    highestLearningRate = configuration.recipe.learningRate
    schedule = configuration.learningRateSchedule
    average =
      configuration.recipe.weightAverage > 0
      ? try WeightAverage(of: model.stateDictionary, decay: configuration.recipe.weightAverage) : nil
    softTargets = SoftTargets(configuration, classes: model.classes)
    plannedUpdates = plan.updates
    reducer = try ranks.group.map { try GradientReducer(of: model.parameters.map(\.tensor), over: $0) }
    recorded =
      configuration.machine.cudaGraphs ? RecordedUpdate(batchSize: configuration.recipe.batchSize) : nil
  }

  /// Where the learner is, apart from weights and momentum.
  struct State: Codable {
    var updates: Int
    var coolDown: CoolDown?
  }

  var state: State { State(updates: updatesMade, coolDown: coolDown) }

  /// Continues where another learner was.
  /// - Parameters:
  ///   - weights: Its weights and running statistics; already in place if `nil`.
  ///   - optimiser: ``optimiserState``; already in place if `nil`.
  func restore(_ state: State, weights: StateDictionary?, optimiser: StateDictionary?) throws {
    if let weights { try model.stateDictionary.load(from: weights) }
    if let optimiser { try optimiserState.load(from: optimiser) }
    updatesMade = state.updates
    coolDown = state.coolDown
  }

  /// The momentum and, where one is taken, the average of the weights: what a run needs beside the weights to go on.
  var optimiserState: StateDictionary {
    let averages = average?.stateDictionary.entries.map { (name: "average.\($0.name)", tensor: $0.tensor) }
    return StateDictionary(optimiser.stateDictionary.entries + (averages ?? []))
  }

  /// Has the model take the average of its weights, where one was taken: after the last update.
  func adoptAverage() throws {
    if let average { try model.stateDictionary.load(from: average.stateDictionary) }
  }

  /// Takes over the first rank's weights, statistics and momentum.
  func share(over ranks: Ranks) throws {
    let state = model.stateDictionary.entries + optimiserState.entries
    try ranks.group?.broadcast(state.map(\.tensor))
  }

  /// Makes sure that all ranks have the same weights; running statistics are each rank's own.
  /// - Throws: `OnePassError` (`usage`), on every rank, that names the first weight that differs, and the ranks.
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
    return try FetchedPass(losses: losses, logits: logits, of: batch, storing: isStored(batch))
  }

  func accumulate(_ batch: WeightedBatch, share: Double, isLast: Bool) throws -> any ForwardPass {
    let task = try prepare(batch)
    gathered += 1
    let forward = {
      // Fetched before the backward pass, which whoever reads the losses need not wait for.
      try self.forward(task, of: batch.totalWeight) {
        try FetchedPass(losses: $0, logits: $1, of: batch, storing: self.isStored(batch))
      }
    }
    let (objective, pass) = try reducer?.forward(sums: isLast, forward) ?? forward()
    let scaled = share == 1 ? objective : try objective * share
    if let reducer { try reducer.backward(from: scaled) } else { try scaled.backward() }
    return pass
  }

  /// Whether the memory keeps the model's predictions for the images that are trained now.
  private func isStored(_ batch: WeightedBatch) -> Bool {
    softTargets?.stores(mixing: batch.isReplayed) ?? false
  }

  /// A mini-batch as it is trained.
  private struct Task {
    var images: Tensor
    var labels: Tensor
    /// w_i; 1 where `nil`.
    var weights: Tensor?
    /// q, `[N, classes]`, where it is not the label alone.
    var targets: Tensor?

    /// All of them, where there are weights.
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

  /// - Parameter alwaysSoft: Whether a run that trains towards soft targets has them here also where they say no more than
  ///   the label.
  private func prepare(_ batch: WeightedBatch, alwaysSoft: Bool = false) throws -> Task {
    let count = batch.images.count
    let (images, labels) = try transfer(batch.images)
    let mixture =
      batch.isReplayed && count > 0
      ? softTargets?.mixture(update: updatesMade, part: gathered, shape: images.shape) : nil
    let weights = mixture.map { mixture in batch.weights.map { mixture.mixed($0) } } ?? batch.weights
    let targets = softTargets.flatMap { soft in
      alwaysSoft || soft.isNeeded(batch.predictions, mixture)
        ? soft.targets(batch.images.labels, batch.predictions, mixture) : nil
    }
    return Task(
      images: try mixture?(images) ?? images, labels: labels,
      weights: try weights.map { try Tensor($0, shape: [count], on: device) },
      targets: try targets.map { try Tensor($0, shape: [count, model.classes], on: device) })
  }

  /// - Parameter observe: Takes ℓ `[N]`, the loss of the true label whatever is trained towards, and the logits
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
      let known = try logits.detached()
      return (
        try crossEntropy(logits, targets: targets), try crossEntropy(known, labels: task.labels), known
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

  /// The share of the highest learning rates with which the next update is made.
  private func beginUpdate() -> Double {
    let factor = schedule.factor(ofUpdate: updatesMade, of: plannedUpdates, coolingDown: coolDown)
    learningRate = factor * highestLearningRate
    return factor
  }

  private func endUpdate() throws {
    updatesMade += 1
    gathered = 0
    try average?.take(afterUpdate: updatesMade)
  }
}
