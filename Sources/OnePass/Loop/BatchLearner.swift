import OnePassCore
import OnePassData
import OnePassReplay

/// What the training loop needs of a model and its optimiser.
///
/// The loop hands over decoded mini-batches and receives losses; tensors stay on the other side. ``Learner`` is the one that
/// trains; tests of the loop have one that only notes what it is given.
protocol BatchLearner: AnyObject {
  /// Optimiser updates made so far.
  var updatesMade: Int { get }
  /// The learning rate of the last update.
  var learningRate: Double { get }
  /// The cool-down that the learning rate follows, once the run was asked for one.
  var coolDown: CoolDown? { get set }

  /// Makes one update on a mini-batch.
  func train(_ batch: WeightedBatch) throws -> any ForwardPass

  /// Adds the gradient of a mini-batch to the next update: ∇ share · Σ w_i ℓ_i / Σ w_i.
  /// - Parameters:
  ///   - share: The weight of this mini-batch among those of the update, 0 … 1.
  ///   - isLast: Whether it is the last of them, after which gradients are summed over ranks.
  func accumulate(_ batch: WeightedBatch, share: Double, isLast: Bool) throws -> any ForwardPass

  /// Makes the update from the accumulated gradients.
  func update() throws

  /// Whether the device has nothing to do, so that waiting for images costs time.
  func isIdle() throws -> Bool
}

/// A decoded mini-batch with its weights: this rank's part.
struct WeightedBatch {
  let images: ImageBatch
  /// w_i, `[N]`; 1 each if `nil`.
  var weights: [Float]?
  /// Σ w_i of the whole mini-batch, where `images` is a part of it; `nil` where it is all of it.
  var totalWeight: Double?
  /// What the memory keeps of the model's earlier predictions, `[N]`; empty where it keeps none.
  var predictions: [StoredPrediction] = []
  /// Whether these images were trained before, so that they may be mixed.
  var isReplayed = false
  /// Whether the predicted classes are wanted.
  var wantsClasses = false
}

/// The forward pass of a mini-batch, before the update on it. Its values may still be on their way from the device.
protocol ForwardPass {
  /// ℓ_i, the loss of each example's label, `[N]`, in nats.
  func losses() throws -> [Float]
  /// The predicted class of each, `[N]`; empty if it was not asked for.
  func classes() throws -> [Int]
  /// What the memory is to keep of each prediction; empty if it keeps none.
  func storedPredictions() throws -> [StoredPrediction]
}
