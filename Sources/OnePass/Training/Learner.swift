import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// What the model made of a mini-batch before it was trained on it.
struct ForwardPass {
  /// ℓ_i, the loss of each example, `[N]`.
  let losses: FetchedValues
  /// The class that the model took each example for, `[N]`, where it was asked for.
  let predictions: FetchedValues?

  init(losses: Tensor, logits: Tensor, predicting: Bool) throws {
    self.losses = try losses.fetched()
    predictions = predicting ? try logits.argmax().fetched() : nil
  }
}

/// The model with its optimiser: turns a weighted mini-batch into an update.
final class Learner {
  let model: any ImageClassifier
  let optimiser: SGD
  let device: Device
  private let precision: Precision
  private let transfer: BatchTransfer
  private let schedule: CosineDecay
  private let plannedUpdates: Int
  private let recorded: RecordedUpdate?
  /// Sums gradients over ranks, where there are several.
  private let reducer: GradientReducer?
  private(set) var updatesMade = 0

  init(
    model: any ImageClassifier, device: Device, normalisation: Normalisation, configuration: RunConfiguration,
    plan: TrainingPlan, ranks: Ranks = Ranks(nil)
  ) throws {
    try Engine.prepare(device)
    self.model = model
    self.device = device
    precision = configuration.precision
    transfer = try BatchTransfer(to: device, normalisation: normalisation)
    optimiser = try SGD(
      parameters: model.parameters, momentum: configuration.momentum, nesterov: true,
      weightDecay: configuration.weightDecay)
    schedule = CosineDecay(initial: configuration.learningRate)
    plannedUpdates = plan.updates
    reducer = try ranks.group.map { try GradientReducer(of: model.parameters.map(\.tensor), over: $0) }
    recorded = configuration.cudaGraphs ? RecordedUpdate(batchSize: configuration.batchSize) : nil
  }

  /// Takes over where another learner stood.
  func resume(_ saved: UnfinishedRun.Saved) throws {
    if let weights = saved.weights { try model.stateDictionary.load(from: weights) }
    if let optimiser = saved.optimiser { try self.optimiser.stateDictionary.load(from: optimiser) }
    updatesMade = saved.state.updates
  }

  /// Takes over the first rank's weights, statistics and momentum.
  func share(over ranks: Ranks) throws {
    let state = model.stateDictionary.entries + optimiser.stateDictionary.entries
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
    _ batch: ImageBatch, weights: [Float]? = nil, of total: Double? = nil, predicting: Bool = false
  ) throws -> ForwardPass {
    guard let recorded, batch.count == recorded.batchSize else {
      let pass = try accumulate(batch, weights: weights, of: total, predicting: predicting)
      try update()
      return pass
    }
    let (images, labels) = try transfer(batch)
    let weights = try Tensor(
      weights ?? Array(repeating: 1, count: batch.count), shape: [batch.count], on: device)
    beginUpdate()
    let rate = try Tensor([Float(learningRate)], shape: [], on: device)
    let (losses, logits) = try recorded.launch([images, labels, weights, rate]) { [unowned self] inputs in
      let (objective, (losses, logits)) = try forward(
        inputs[0], labels: inputs[1], weights: inputs[2], of: nil
      ) { ($0, $1) }
      try objective.backward()
      try optimiser.step(learningRate: inputs[3])
      try optimiser.zeroGradients()
      return (losses, logits)
    }
    updatesMade += 1
    return try ForwardPass(losses: losses, logits: logits, predicting: predicting)
  }

  /// Adds a mini-batch's gradient: ∇ scale · Σ w_i ℓ_i / Σ w_i.
  /// - Parameters:
  ///   - batch: This rank's part of the mini-batch.
  ///   - weights: w_i, `[N]`; 1 where `nil`.
  ///   - total: Σ w_i of the whole mini-batch, where this is a part of it.
  ///   - scale: Of several mini-batches that make one update, the share of this one.
  ///   - isLast: Whether it is the last of them, after which gradients are summed over ranks.
  ///   - predicting: Whether the predicted classes are wanted.
  func accumulate(
    _ batch: ImageBatch, weights: [Float]? = nil, of total: Double? = nil, scale: Double = 1,
    isLast: Bool = true, predicting: Bool = false
  ) throws -> ForwardPass {
    let (images, labels) = try transfer(batch)
    let weights = try weights.map { try Tensor($0, shape: [batch.count], on: device) }
    let forward = {
      // Fetched before the backward pass, for which whoever reads the losses need not wait.
      try self.forward(images, labels: labels, weights: weights, of: total) {
        try ForwardPass(losses: $0, logits: $1, predicting: predicting)
      }
    }
    let (objective, pass) = try reducer?.forward(sums: isLast, forward) ?? forward()
    let scaled = scale == 1 ? objective : try objective * scale
    if let reducer { try reducer.backward(from: scaled) } else { try scaled.backward() }
    return pass
  }

  /// - Parameter observe: Takes ℓ `[N]` and the logits `[N, classes]`.
  private func forward<Result>(
    _ images: Tensor, labels: Tensor, weights: Tensor?, of total: Double?,
    _ observe: (Tensor, Tensor) throws -> Result
  ) throws -> (objective: Tensor, result: Result) {
    let (losses, logits) = try withPrecision(precision, on: device) {
      let logits = try model(images, .training)
      return (try crossEntropy(logits, labels: labels), logits)
    }
    let result = try observe(losses.detached(), logits.detached())
    guard let total else { return (try weightedMean(losses, weights: weights), result) }
    return (try (weights.map { try losses * $0 } ?? losses).sum() * (1 / total), result)
  }

  /// Applies the gradients gathered since the last update.
  func update() throws {
    beginUpdate()
    try optimiser.step(learningRate: learningRate)
    try optimiser.zeroGradients()
    updatesMade += 1
  }

  private func beginUpdate() {
    learningRate = schedule.learningRate(at: RunProgress(step: updatesMade, of: plannedUpdates))
  }
}
