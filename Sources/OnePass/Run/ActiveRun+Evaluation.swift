import OnePassCore
import OnePassData
import OnePassTorch

/// A stop was requested during an evaluation along the stream.
private struct EvaluationStopped: Error {}

// Evaluation at the end of a run, and along the stream.
extension ActiveRun {
  /// Evaluates the trained model, and writes the accuracy by class and by pair of classes to the folder of the run.
  ///
  /// With several ranks, each has the details of its own part only, and nothing is written.
  /// - Throws: `OnePassError`; `RunStopped` if a stop was requested.
  func evaluate(on data: EvaluationData) throws -> RunResult.Accuracy {
    // Running statistics differ between ranks; the saved ones, of rank 0, are evaluated.
    try learner.share(over: ranks)
    // A custom source was read before, along the stream.
    if reopenEvaluation != nil, data.source is any RandomAccessSource { try data.source.restore(position: 0) }
    let (source, taken) = known(data.source, alreadyTaken: data.taken)
    let notices = ReportNotices(of: source.specification) { [observe] in observe(.notice($0)) }
    notices.update(source.report)
    var details = EvaluationDetails(classes: plan.classes, mistakes: 0)
    let accuracy: RunResult.Accuracy
    do {
      accuracy = try evaluate(
        source, alreadyTaken: taken, afterEachBatch: { try saver.stopIfRequested(loop) },
        record: session.folder == nil || ranks.count > 1
          ? nil : { try details.update(logits: $0, labels: $1, examples: $2.examples, locate: { _ in nil }) })
    } catch let error as ReadingStopped {
      try saver.stopIfRequested(loop)
      throw error
    }
    notices.finish(source.report)
    if ranks.count == 1, let folder = session.folder {
      let evaluation = Evaluation(
        source: SourceRegistry.withoutSecrets(source.specification), card: card,
        accuracy: accuracy, classes: details.classes, confusion: details.confusion, mistakes: [])
      try rescuing { try folder.write(json: evaluation, to: Evaluation.fileName) }
    }
    return accuracy
  }

  /// Evaluates the model if an evaluation along the stream is due after the last step.
  ///
  /// It does not change the training: weights and statistics are restored, and no random choice depends on it. A failure is
  /// only reported, because the stream cannot be read again; with several ranks, which would lose each other, it ends the run.
  /// - Throws: `OnePassError`; `RunStopped` if a stop was requested.
  func evaluateIfDue() throws {
    let step = loop.position.steps
    guard let reopenEvaluation, isDue(step), records.curve.curve.evaluations.last?.step != step
    else { return }
    let start = ContinuousClock.now
    records.processor.pause()
    defer { records.processor.resume() }
    do {
      guard let source = try reopenEvaluation().map({ known($0, alreadyTaken: []).source }) else { return }
      let accuracy = try learner.withEvaluatedWeights(over: ranks) {
        try evaluate(source, alreadyTaken: []) {
          if try saver.isStopRequested(loop) { throw EvaluationStopped() }
        }
      }
      records.curve.curve.record(
        point(of: accuracy), seconds: (ContinuousClock.now - start) / .seconds(1))
      records.log.log(accuracy, after: step)
      observe(.measured(accuracy, stepsDone: step))
    } catch  where error is EvaluationStopped || error is ReadingStopped {
      // The evaluation is repeated when the run resumes.
      try saver.stopIfRequested(loop)
    } catch let error as OnePassError where ranks.count == 1 {
      observe(
        .notice("The evaluation after step \(step) failed, and the training continues: \(error.message)"))
    }
  }

  /// Whether an evaluation is due after a step: after every interval and every group of classes, and before the first group. The
  /// final evaluation is another one.
  private func isDue(_ step: Int) -> Bool {
    guard step < loop.position.end else { return false }
    let interval = configuration.data.evaluationInterval
    if let interval, step > 0, step % interval == 0 { return true }
    return groups.map { step == 0 || $0.isEnd(step, batchSize: configuration.recipe.batchSize) } ?? false
  }

  /// The evaluation data, with open classes only that of the classes found so far.
  private func known(
    _ source: any ExampleSource, alreadyTaken taken: [Example]
  ) -> (source: any ExampleSource, taken: [Example]) {
    guard let names = loop.incoming.classes.names else { return (source, taken) }
    return (FoundClasses(source, alreadyTaken: taken, names: names), [])
  }

  /// An accuracy as a point of the curve after the last step.
  func point(of accuracy: RunResult.Accuracy) -> RunResult.AccuracyPoint {
    .init(
      step: loop.position.steps, examplesSeen: loop.incoming.tally.taken, updates: learner.updatesMade,
      top1: accuracy.top1, top5: accuracy.top5, loss: accuracy.loss, examples: accuracy.examples,
      groups: accuracy.groups)
  }

  private func evaluate(
    _ source: any ExampleSource, alreadyTaken taken: [Example], afterEachBatch check: () throws -> Void,
    record: ((Tensor, Tensor, ImageBatch) throws -> Void)? = nil
  ) throws -> RunResult.Accuracy {
    let evaluator = Evaluator(
      model: assembly.model, device: assembly.device, pool: assembly.pool, classes: plan.classes,
      brokenLimit: configuration.data.brokenLimit, isStrict: configuration.data.strict, ranks: ranks)
    let limit = configuration.data.evaluationLimit
    return try assembly.pool.uncounted {
      try evaluator.evaluate(
        source, alreadyTaken: taken, limit: limit, groups: groups?.classes ?? [],
        observe: {
          observe(.evaluated(examples: $0, total: limit ?? source.knownCount))
          try check()
        }, record: record)
    }
  }
}
