import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// The parts that a run and its forecast have in common; they follow from the configuration and the stream.
struct RunAssembly {
  /// The warm-up of a forecast reduces this, and the plan with it.
  var configuration: RunConfiguration
  let parts: MethodParts
  var plan: TrainingPlan
  let card: ModelCard
  /// The model and the mini-batch size, if the stream chose them.
  let choice: StreamChoice?
  let model: any ImageClassifier
  let device: Device
  let pool: DecodePool

  /// Creates the model and starts the decode threads, which `pool.shutdown()` ends.
  /// - Parameter group: The processes that train together, if any.
  /// - Throws: `OnePassError`: `usage` if the model kind is unknown or a step exceeds the machine's memory, `engine` if memory is exhausted.
  init(
    _ configuration: RunConfiguration, _ parts: MethodParts, _ plan: TrainingPlan, _ pipeline: ImagePipeline,
    _ stem: Stem, choice: StreamChoice? = nil, on device: Device, group: ProcessGroup? = nil
  ) throws {
    try StepMemory(
      configuration, pipeline, streamExamples: plan.streamExamples, ranks: group?.size ?? 1,
      elementBytes: device == .cpu ? 4 : 1
    ).check()
    try configuration.checkIndex(parts)
    self.configuration = configuration
    self.choice = choice
    self.parts = parts
    self.plan = plan
    self.device = device
    card = ModelCard(
      name: configuration.model.name, stem: stem, classes: plan.classes, classNames: plan.classNames,
      pipeline: pipeline, blurPool: configuration.recipe.blurPool)
    model = try card.makeModel(
      seed: configuration.seed, device: device,
      normalisingOver: configuration.machine.synchronisedBatchNorm ? group : nil, own: parts.model)
    guard plan.classLimit == nil || model.head != nil else {
      throw OnePassError.modelCannotGrow(configuration.model.name)
    }
    // The queue has room for the incoming mini-batch, the next one, and the replays of a step.
    pool = DecodePool(
      pipeline: pipeline, threads: configuration.machine.decodeThreads ?? AvailableProcessors.current.count,
      queueCapacity: configuration.recipe.batchSize * (configuration.replay.steps + 2),
      augmentation: configuration.imageAugmentation, storedFormat: configuration.storedFormat, feeding: device
    )
  }

  func makeLearner(_ ranks: Ranks = Ranks(nil)) throws -> Learner {
    try Learner(
      model: model, device: device, normalisation: card.pipeline.normalisation, configuration: configuration,
      plan: plan, ranks: ranks)
  }

  /// The loop before its first step.
  /// - Parameters:
  ///   - feed: The incoming examples.
  ///   - source: The source of the feed, for messages.
  ///   - images: The store of the memory's images.
  func makeLoop(
    _ learner: any BatchLearner, _ feed: any ExampleFeed, of source: any ExampleSource,
    images: MemoryImages = .inProcess, ranks: Ranks = Ranks(nil)
  ) -> TrainingLoop {
    let decoder = BatchDecoder(pool) { try learner.isIdle() }
    let rehearsal = plan.capacity.map {
      Rehearsal(configuration, parts, plan, capacity: $0, images: images, decoder: decoder, ranks: ranks)
    }
    return TrainingLoop(
      incoming: IncomingBatches(feed, of: source, configuration, plan, decoder: decoder, ranks: ranks),
      rehearsal: rehearsal,
      updates: StepUpdates(
        learner: learner, mode: configuration.step.updates,
        peakLearningRate: configuration.recipe.learningRate),
      position: LoopPosition(configuration, plan), ranks: ranks)
  }

  /// The configuration with the values that were found in the data or chosen by default.
  /// - Parameter card: The model, with its classes.
  func resolvedConfiguration(_ card: ModelCard) -> RunConfiguration {
    var resolved = configuration.withoutSecrets
    resolved.model.stem = card.stem
    resolved.model.imageSize = card.pipeline.size
    resolved.model.channels = card.pipeline.channels
    resolved.data.orientation = card.pipeline.orientation == .apply ? .apply : .ignore
    resolved.data.classCount = card.classes
    resolved.data.classNames = card.classNames
    resolved.machine.device = device.description
    resolved.machine.threads = Engine.threadCount
    resolved.machine.decodeThreads = pool.threads
    resolved.memory.keepPictures = configuration.picturesKept
    return resolved.asRecord
  }
}
