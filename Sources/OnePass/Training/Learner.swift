import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// What the model made of a mini-batch before it was trained on it; on the device.
struct ForwardPass {
  /// ℓ_i, the loss of each example, `[N]`.
  let losses: Tensor
  /// `[N, classes]`.
  let logits: Tensor
}

/// The model with its optimiser: turns a weighted mini-batch into an update.
final class Learner {
  let model: any ImageClassifier
  let optimiser: SGD
  let device: Device
  private let schedule: CosineDecay
  private let plannedUpdates: Int
  private(set) var updatesMade = 0
  private(set) var examplesTrained = 0

  init(
    model: any ImageClassifier, device: Device, configuration: RunConfiguration, plan: TrainingPlan
  ) throws {
    self.model = model
    self.device = device
    optimiser = try SGD(
      parameters: model.parameters, momentum: configuration.momentum, nesterov: true,
      weightDecay: configuration.weightDecay)
    schedule = CosineDecay(initial: configuration.learningRate)
    plannedUpdates = plan.updates
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

  /// Adds a mini-batch's gradient: ∇ scale · mean(w_i ℓ_i).
  /// - Parameter weights: w_i, `[N]`; 1 where `nil`.
  func accumulate(_ batch: ImageBatch, weights: [Float]? = nil, scale: Double = 1) throws -> ForwardPass {
    let (images, labels) = try tensors(of: batch, on: device)
    let logits = try model(images, .training)
    let losses = try crossEntropy(logits, labels: labels)
    let weights = try weights.map { try Tensor($0, shape: [batch.count], on: device) }
    let objective = try weightedMean(losses, weights: weights)
    try (scale == 1 ? objective : objective * scale).backward()
    examplesTrained += batch.count
    return try ForwardPass(losses: losses.detached(), logits: logits.detached())
  }

  /// Applies the gradients gathered since the last update.
  func update() throws {
    let progress = RunProgress(step: updatesMade, of: plannedUpdates)
    learningRate = schedule.learningRate(at: progress)
    try optimiser.step(learningRate: learningRate)
    try optimiser.zeroGradients()
    updatesMade += 1
  }
}

/// A mini-batch as the model takes it: images `[N, C, H, W]` in channels-last order, and labels `[N]`.
func tensors(of batch: ImageBatch, on device: Device) throws -> (images: Tensor, labels: Tensor) {
  let images = try Tensor(
    borrowing: batch.baseAddress, shape: [batch.count, batch.shape[3], batch.shape[1], batch.shape[2]],
    owner: batch)
  let labels = try Tensor(batch.labels.map(Int64.init), shape: [batch.count])
  return device == .cpu ? (images, labels) : (try images.to(device), try labels.to(device))
}
