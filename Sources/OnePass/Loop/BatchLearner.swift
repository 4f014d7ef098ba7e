import OnePassCore
import OnePassData
import OnePassReplay

/// The training loop's interface to a model and its optimiser.
///
/// The loop passes decoded mini-batches and receives losses; it sees no tensors. ``Learner`` is the implementation that trains.
/// Tests of the loop use one that only records its input.
protocol BatchLearner: AnyObject {
  /// Optimiser updates made so far.
  var updatesMade: Int { get }
  /// The learning rate of the last update.
  var learningRate: Double { get }
  /// The cool-down that the learning rate follows, once one was requested.
  var coolDown: CoolDown? { get set }

  /// Adds outputs to the last layer, if it has fewer than there are classes.
  func grow(to classes: Int) throws

  /// Makes one update on a mini-batch.
  func train(_ batch: WeightedBatch) throws -> any ForwardPass

  /// Adds the gradient of a mini-batch to the next update: ∇ share · Σ w_i ℓ_i / Σ w_i.
  /// - Parameters:
  ///   - share: The weight of this mini-batch within the update, 0 … 1.
  ///   - isLast: Whether it is the last mini-batch of the update. Gradients are then summed over ranks.
  func accumulate(_ batch: WeightedBatch, share: Double, isLast: Bool) throws -> any ForwardPass

  /// Makes the update from the accumulated gradients.
  func update() throws

  /// Whether the device has no work queued, so that waiting for images costs time.
  func isIdle() throws -> Bool
}

/// This rank's part of a decoded mini-batch, with the weights of its examples.
struct WeightedBatch {
  let images: ImageBatch
  /// w_i, `[N]`; 1 each if `nil`.
  var weights: [Float]?
  /// Σ w_i of the whole mini-batch; `nil` if `images` is the whole mini-batch.
  var totalWeight: Double?
  /// The notes that the memory stored with the images, `[N]`; empty if it stores none.
  var notes: [ItemNote] = []
  /// Whether these images were trained before. Only such images are mixed.
  var isReplayed = false
  /// Whether the forward pass returns predictions.
  var wantsPredictions = false
}

/// The forward pass of a mini-batch, before its update. Its values may still be in transfer from the device.
protocol ForwardPass {
  /// ℓ_i, the loss of each example's label, `[N]`, in nats.
  func losses() throws -> [Float]
  /// The predictions, `[N]`; empty if they were not requested.
  func predictions() throws -> [ClassPrediction]
  /// The new notes of the images, `[N]`; empty if notes do not change, or none are stored.
  func notes() throws -> [ItemNote]
}
