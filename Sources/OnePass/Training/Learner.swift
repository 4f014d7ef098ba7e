import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch

/// The model with its optimiser: turns a weighted mini-batch into an update.
final class Learner {
  let model: any ImageClassifier
  let optimiser: OptimiserGroups
  let device: Device
  private let precision: Precision
  private let transfer: BatchTransfer
  private let highestLearningRate: Double
  private let schedule: LearningRateSchedule
  private let plannedUpdates: Int
  /// The cool-down that the run was asked for, once it was.
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

  /// Takes over where another learner stood.
  func resume(_ saved: UnfinishedRun.Saved) throws {
    if let weights = saved.weights { try model.stateDictionary.load(from: weights) }
    if let optimiser = saved.optimiser { try optimiserState.load(from: optimiser) }
    updatesMade = saved.state.updates
    coolDown = saved.state.coolDown
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

  /// Makes an update on a mini-batch: `accumulate` and `update`.
  func train(
    _ batch: ImageBatch, weights: [Float]? = nil, of total: Double? = nil, stored: [StoredPrediction] = [],
    mixing: Bool = false, predicting: Bool = false
  ) throws -> ForwardPass {
    guard let recorded, batch.count == recorded.batchSize else {
      let pass = try accumulate(
        batch, weights: weights, of: total, stored: stored, mixing: mixing, predicting: predicting)
      try update()
      return pass
    }
    let task = try prepare(
      batch, weights: weights ?? Array(repeating: 1, count: batch.count), stored: stored, mixing: mixing,
      alwaysSoft: true)
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
    return try ForwardPass(
      losses: losses, logits: logits, predicting: predicting, storing: isStored(mixing: mixing))
  }

  /// Adds a mini-batch's gradient: ∇ scale · Σ w_i ℓ_i / Σ w_i.
  /// - Parameters:
  ///   - batch: This rank's part of the mini-batch.
  ///   - weights: w_i, `[N]`; 1 where `nil`.
  ///   - total: Σ w_i of the whole mini-batch, where this is a part of it.
  ///   - scale: Of several mini-batches that make one update, the share of this one.
  ///   - isLast: Whether it is the last of them, after which gradients are summed over ranks.
  ///   - stored: What the model took each example for before, where that is to be trained towards as well; else empty.
  ///   - mixing: Whether its images were trained before, and may be mixed.
  ///   - predicting: Whether the predicted classes are wanted.
  func accumulate(
    _ batch: ImageBatch, weights: [Float]? = nil, of total: Double? = nil, scale: Double = 1,
    isLast: Bool = true, stored: [StoredPrediction] = [], mixing: Bool = false, predicting: Bool = false
  ) throws -> ForwardPass {
    let task = try prepare(batch, weights: weights, stored: stored, mixing: mixing)
    gathered += 1
    let forward = {
      // Fetched before the backward pass, for which whoever reads the losses need not wait.
      try self.forward(task, of: total) {
        try ForwardPass(
          losses: $0, logits: $1, predicting: predicting, storing: self.isStored(mixing: mixing))
      }
    }
    let (objective, pass) = try reducer?.forward(sums: isLast, forward) ?? forward()
    let scaled = scale == 1 ? objective : try objective * scale
    if let reducer { try reducer.backward(from: scaled) } else { try scaled.backward() }
    return pass
  }

  /// Whether the memory keeps what the model takes the images for that are trained now.
  private func isStored(mixing: Bool) -> Bool { softTargets?.stores(mixing: mixing) ?? false }

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
  private func prepare(
    _ batch: ImageBatch, weights: [Float]?, stored: [StoredPrediction], mixing: Bool, alwaysSoft: Bool = false
  ) throws -> Task {
    let (images, labels) = try transfer(batch)
    let mixture =
      mixing && batch.count > 0
      ? softTargets?.mixture(update: updatesMade, part: gathered, shape: images.shape) : nil
    let weights = mixture.map { mixture in weights.map { mixture.mixed($0) } } ?? weights
    let targets = softTargets.flatMap { soft in
      alwaysSoft || soft.isNeeded(stored, mixture) ? soft.targets(batch.labels, stored, mixture) : nil
    }
    return Task(
      images: try mixture?(images) ?? images, labels: labels,
      weights: try weights.map { try Tensor($0, shape: [batch.count], on: device) },
      targets: try targets.map { try Tensor($0, shape: [batch.count, model.classes], on: device) })
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

  /// Applies the gradients gathered since the last update.
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
