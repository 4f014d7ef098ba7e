import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassTorch

/// The parts of a run that follow from its configuration and its stream: what a run and its forecast have in common.
struct RunAssembly {
  /// The warm-up of a forecast shrinks this, and the plan with it.
  var configuration: RunConfiguration
  let parts: MethodParts
  var plan: TrainingPlan
  let card: ModelCard
  let model: any ImageClassifier
  let device: Device
  let pool: DecodePool

  /// Starts the decode threads, which end with `pool.shutdown()`.
  /// - Parameter group: The processes that train together, if any.
  /// - Throws: `OnePassError`: `usage` if the model is of a kind that is not there, `engine` without memory.
  init(
    _ configuration: RunConfiguration, _ parts: MethodParts, _ plan: TrainingPlan, _ pipeline: ImagePipeline,
    _ stem: Stem, on device: Device, group: ProcessGroup? = nil
  ) throws {
    self.configuration = configuration
    self.parts = parts
    self.plan = plan
    self.device = device
    card = ModelCard(
      name: configuration.model.name, stem: stem, classes: plan.classes, classNames: plan.classNames,
      pipeline: pipeline, blurPool: configuration.recipe.blurPool)
    model = try card.makeModel(
      seed: configuration.seed, device: device,
      normalisingOver: configuration.machine.synchronisedBatchNorm ? group : nil, own: parts.model)
    // The incoming mini-batch, the next one, and the replays of a step wait to be decoded at once.
    pool = DecodePool(
      pipeline: pipeline, threads: configuration.machine.decodeThreads ?? machineCores(),
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
  ///   - feed: What it trains on.
  ///   - source: Where the feed's examples come from, for messages.
  ///   - images: Where the memory's images are.
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

  /// The configuration with every choice that was left to the program.
  var resolvedConfiguration: RunConfiguration {
    var resolved = configuration.withoutSecrets
    resolved.model.stem = card.stem
    resolved.model.imageSize = card.pipeline.size
    resolved.model.channels = card.pipeline.channels
    resolved.data.classCount = card.classes
    resolved.data.classNames = card.classNames
    resolved.machine.device = device.description
    resolved.machine.threads = Engine.threadCount
    resolved.machine.decodeThreads = pool.threads
    resolved.memory.keepPictures = configuration.picturesKept
    return resolved
  }
}

/// The number of cores that this process may use.
func machineCores() -> Int { ProcessInfo.processInfo.activeProcessorCount }
