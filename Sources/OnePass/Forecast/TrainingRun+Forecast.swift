import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

extension TrainingRun {
  /// Estimates time, memory and storage of the run, from a few seconds of training on its first images.
  ///
  /// Nothing is written. Errors that would keep the run from starting are thrown. From standard input only the images needed to
  /// find size and classes are read, and they are lost; from every other source the first mini-batch is read.
  /// - Parameters:
  ///   - output: The output folder of the run, if any.
  ///   - resuming: Whether the run would be resumed in it.
  /// - Throws: `OnePassError`, as `start` does.
  public func forecast(output: String? = nil, resuming: Bool = false) throws -> RunForecast {
    if stream.live != nil, configuration.data.limit == nil {
      throw OnePassError.optionRequires("--dry-run", "--limit")
    }
    if resuming, output == nil { throw OnePassError.optionRequires("--resume", "--output") }
    if let output { _ = try RunFolder(creating: output, resuming: resuming) }
    let stepsSaved = resuming ? try output.flatMap { try UnfinishedRun.stepsSaved(in: $0) } : nil
    if stepsSaved == nil { try checkMemoryDirectory() }
    let device = try prepareMachine(threads: configuration.machine.threads)

    // Without the shuffle buffer, whose filling would consume the stream.
    let source = stream.arriving
    // A stream that cannot be read again loses at most one image to a forecast.
    let look = try StreamLook(
      RunStream(source), configuration.withClassesAhead(of: source), wholeBatch: !source.readsAgainToRestore)
    var run = self
    run.configuration = look.configuration
    var forecast = try run.forecast(from: look, on: device, after: stepsSaved)
    forecast.configuration.data.openClasses = configuration.data.openClasses
    return forecast
  }

  private func forecast(
    from look: StreamLook, on device: Device, after stepsSaved: Int?
  ) throws -> RunForecast {
    let clock = ContinuousClock()
    let source = stream.arriving
    let plan = try look.plan(source, streamExamples: look.examples)
    let evaluationSource = try openEvaluation(plan)

    let assembly = try RunAssembly(configuration, parts, plan, look.pipeline, look.stem, on: device)
    defer { assembly.pool.shutdown() }
    let examples = try wholeImages(of: source, look, assembly.pool)
    try source.checkReport(isStrict: configuration.data.strict)
    let start = clock.now
    let processor = ProcessorTime.current()
    let warmUp = WarmUp(
      assembly: assembly, examples: examples,
      lastBatchSize: (plan.streamExamples - 1) % configuration.recipe.batchSize + 1)
    let (measured, trainingBytes) = try warmUp.measure()
    let waitShare = (ProcessorTime.current() - processor).waitShare
    var evaluationData = evaluationSource.map { EvaluationData($0) }
    if evaluationCanBeOpenedTwice || evaluationSource is any RandomAccessSource {
      try evaluationData?.check(probe: openEvaluation(plan), plan, assembly.pool)
    }
    let evaluated = evaluationSource.map { source in
      [configuration.data.evaluationLimit, source.knownCount].compactMap(\.self).min()
    }
    let evaluationSeconds = try evaluated?.map { count in
      // Before the first group of classes, after each, and at the end.
      let groups = isEvaluatedAlongTheStream ? stream.groups?.classes.count ?? 0 : 0
      let times = groups + (configuration.data.evaluationInterval.map { 1 + (plan.steps - 1) / $0 } ?? 1)
      return try Double(count * times) * warmUp.evaluationSeconds(batchSize: measured.batchSize)
    }
    let warmUpSeconds = (clock.now - start) / .seconds(1)
    let measuredBytes = max(trainingBytes, ProcessMemory.peakResidentBytes)

    let kept = try KeptForecast(
      configuration, parts, plan, examples, pipeline: look.pipeline,
      isKeptBySource: source is any RandomAccessSource
    )
    let compute = makeCompute(plan)
    let left = examplesTrained(plan, from: stepsSaved ?? 0)
    return RunForecast(
      stream: .init(
        examples: plan.streamExamples, classes: plan.classes, imageBytes: kept.imageBytes,
        imagesSeen: examples.count, isConsumed: source.readsAgainToRestore),
      compute: compute, storage: kept.storage,
      time: .init(
        trainingSeconds: Double(left) / measured.imagesPerSecond,
        evaluationSeconds: evaluationSeconds ?? nil, imagesPerSecond: measured.imagesPerSecond),
      peakResidentBytes: measuredBytes + kept.residentBytes,
      decodeBudgetBytes: DecodeMemory.shared.bytes, resumesAfterStep: stepsSaved,
      warmUp: .init(
        batchSize: measured.batchSize, replaySteps: measured.replaySteps, steps: measured.steps,
        seconds: warmUpSeconds, waitShare: waitShare),
      notices: notices + look.notices + [plan.noticeOfFewUpdates(configuration)].compactMap(\.self)
        + source.report.notices(of: source.specification)
        + (evaluationSource.map { $0.report.notices(of: $0.specification) } ?? []),
      configuration: assembly.resolvedConfiguration(assembly.card), version: onePassVersion,
      engine: Engine.version, machine: .current)
  }

  private func checkMemoryDirectory() throws {
    guard let path = configuration.memory.directory else { return }
    guard try DiskImages.run(in: path) == nil else { throw DiskImages.occupied(path) }
    try RunFolder.requireWritableParent(of: path, option: "--memory-directory")
  }

  /// The first images that can be decoded: a mini-batch, or those already taken from a stream that cannot be read again.
  private func wholeImages(
    of source: any ExampleSource, _ look: StreamLook, _ pool: DecodePool
  ) throws -> [Example] {
    var examples = look.taken
    let count = min(configuration.recipe.batchSize, look.examples)
    while !source.readsAgainToRestore, examples.count < count, let example = try source.next() {
      examples.append(try example.waiting())
    }
    let batch = try pool.submit(examples, views: examples.map { _ in .centre }).wait()
    guard batch.count > 0 else {
      throw OnePassError.noDecodableImages(
        amongFirst: examples.count, of: source.specification, reason: batch.skipped.first?.reason)
    }
    return batch.examples
  }

  private func makeCompute(_ plan: TrainingPlan) -> RunForecast.Compute {
    let (passes, replays) =
      switch configuration.method {
      case .naive: (1, 0)
      case .replay: (1, configuration.replay.steps)
      case .multiEpoch: (configuration.epochs, 0)
      }
    // The memory is empty at the first step.
    let examples =
      passes * plan.streamExamples + replays * configuration.recipe.batchSize * max(0, plan.steps - 1)
    return RunForecast.Compute(
      steps: plan.steps, updates: plan.updates, examples: examples,
      fraction: RunResult.Compute.fraction(examples: examples, ofStream: plan.streamExamples),
      effectiveEpochs: passes + replays)
  }

  /// The number of examples trained from a step on, replays included.
  private func examplesTrained(_ plan: TrainingPlan, from start: Int) -> Int {
    let stepsInPass =
      (plan.streamExamples + configuration.recipe.batchSize - 1) / configuration.recipe.batchSize
    return (start..<plan.steps).reduce(0) { sum, step in
      let position = step % stepsInPass * configuration.recipe.batchSize
      let replays =
        configuration.method == .replay
        ? configuration.replay.course.replays(at: step, of: plan.steps, average: configuration.replay.steps)
        : 0
      return sum + min(configuration.recipe.batchSize, plan.streamExamples - position)
        + replays * configuration.recipe.batchSize
    }
  }
}

extension RunConfiguration {
  /// This configuration, in which open classes are as many as the data has, or their limit if that is unknown.
  fileprivate func withClassesAhead(of source: any ExampleSource) -> RunConfiguration {
    guard let open = data.openClasses else { return self }
    var ahead = self
    (ahead.data.openClasses, ahead.data.classCount) = (nil, source.knownClassCount ?? max(2, open.limit))
    return ahead
  }
}
