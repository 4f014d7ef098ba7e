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
  private(set) var updatesMade = 0
  private(set) var examplesTrained = 0

  init(
    model: any ImageClassifier, device: Device, normalisation: Normalisation, configuration: RunConfiguration,
    plan: TrainingPlan
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
    recorded = configuration.cudaGraphs ? RecordedUpdate(batchSize: configuration.batchSize) : nil
  }

  /// Takes over where another learner stood.
  func resume(_ saved: UnfinishedRun.Saved) throws {
    try model.stateDictionary.load(from: saved.weights)
    try optimiser.stateDictionary.load(from: saved.optimiser)
    updatesMade = saved.state.updates
    examplesTrained = saved.state.examplesTrained
  }

  /// The learning rate of the last update.
  private(set) var learningRate = 0.0

  /// Makes an update on a mini-batch: `accumulate` and `update`.
  func train(_ batch: ImageBatch, weights: [Float]? = nil, predicting: Bool = false) throws -> ForwardPass {
    guard let recorded, batch.count == recorded.batchSize else {
      let pass = try accumulate(batch, weights: weights, predicting: predicting)
      try update()
      return pass
    }
    let (images, labels) = try transfer(batch)
    let weights = try Tensor(
      weights ?? Array(repeating: 1, count: batch.count), shape: [batch.count], on: device)
    beginUpdate()
    let rate = try Tensor([Float(learningRate)], shape: [], on: device)
    let (losses, logits) = try recorded.launch([images, labels, weights, rate]) { [unowned self] inputs in
      let (losses, logits) = try accumulate(inputs[0], labels: inputs[1], weights: inputs[2], scale: 1) {
        ($0, $1)
      }
      try optimiser.step(learningRate: inputs[3])
      try optimiser.zeroGradients()
      return (losses, logits)
    }
    examplesTrained += batch.count
    updatesMade += 1
    return try ForwardPass(losses: losses, logits: logits, predicting: predicting)
  }

  /// Adds a mini-batch's gradient: ∇ scale · mean(w_i ℓ_i).
  /// - Parameter weights: w_i, `[N]`; 1 where `nil`.
  func accumulate(
    _ batch: ImageBatch, weights: [Float]? = nil, scale: Double = 1, predicting: Bool = false
  ) throws -> ForwardPass {
    let (images, labels) = try transfer(batch)
    let weights = try weights.map { try Tensor($0, shape: [batch.count], on: device) }
    examplesTrained += batch.count
    // Fetched before the backward pass, for which whoever reads the losses need not wait.
    return try accumulate(images, labels: labels, weights: weights, scale: scale) {
      try ForwardPass(losses: $0, logits: $1, predicting: predicting)
    }
  }

  /// - Parameter observe: Takes ℓ `[N]` and the logits `[N, classes]` before the backward pass.
  private func accumulate<Result>(
    _ images: Tensor, labels: Tensor, weights: Tensor?, scale: Double,
    _ observe: (Tensor, Tensor) throws -> Result
  ) throws -> Result {
    let (losses, logits) = try withPrecision(precision, on: device) {
      let logits = try model(images, .training)
      return (try crossEntropy(logits, labels: labels), logits)
    }
    let result = try observe(losses.detached(), logits.detached())
    let objective = try weightedMean(losses, weights: weights)
    try (scale == 1 ? objective : objective * scale).backward()
    return result
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
