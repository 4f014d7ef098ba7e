import OnePassCore
import OnePassReplay

/// How a service observes a run: it receives the weights between two updates, and the figures of each step.
package struct ServedRun: Sendable {
  /// A report to the service, on the training thread.
  package enum Event: Sendable {
    /// The model is restored, and the first weights are in the mailbox.
    case ready(ModelCard, plan: TrainingPlan, threads: Int?, examplesTaken: Int)
    /// The last layer got outputs for new classes.
    case grown(ModelCard)
    /// After each step, and while the stream is silent.
    case step(StepFigures)
  }

  let weights: WeightsMailbox
  /// The shortest time between two sets of weights.
  let interval: Duration
  let notify: @Sendable (Event) -> Void

  /// - Parameters:
  ///   - weights: Receives the weights.
  ///   - interval: The shortest time between two sets of weights.
  ///   - notify: Receives the events. It must not wait.
  package init(
    _ weights: WeightsMailbox, every interval: Duration, notify: @escaping @Sendable (Event) -> Void
  ) {
    (self.weights, self.interval, self.notify) = (weights, interval, notify)
  }
}

/// The figures of a run after a step.
package struct StepFigures: Sendable {
  /// The number of examples taken from the stream.
  package let examplesTaken: Int
  /// The number of examples with which the run ends, once it cools down; `nil` before.
  package let end: Int?
  /// `nil` if nothing was trained.
  package let report: StepReport?
  /// The mean loss of the replayed examples, in nats; `nil` without any.
  package let replayLoss: Double?
  /// The incoming examples that were classified correctly before the update on them.
  package let correct: Int
  /// The accuracy of all incoming examples, each before the update on it; `nil` before the first.
  package let onlineAccuracy: Double?
  /// The contents of the memory; `nil` if they were counted shortly before.
  package let memory: MemoryCounts?
}

/// What a memory holds, by class and by age.
package struct MemoryCounts: Sendable {
  package static let ageBins = 10

  /// The number of items by label.
  package var byClass: [Int: Int] = [:]
  /// The number of items in each tenth of the stream, the youngest first.
  package var byAge = [Int](repeating: 0, count: ageBins)
  /// The number of examples in a tenth, at least 1.
  package let binExamples: Int

  /// - Complexity: O(items).
  init(_ memory: ReplayMemory, examplesTaken: Int) {
    binExamples = max(1, (examplesTaken + Self.ageBins - 1) / Self.ageBins)
    for item in memory.items {
      byClass[item.label, default: 0] += 1
      byAge[min(Self.ageBins - 1, max(0, examplesTaken - 1 - item.id) / binExamples)] += 1
    }
  }
}

/// Passes weights and figures to a service.
final class ServedRunObserver: StepObserver {
  private let run: ServedRun
  private let learner: Learner
  private let records: RunRecords
  private let clock = ContinuousClock()
  private var nextWeights: ContinuousClock.Instant
  private var nextCount: ContinuousClock.Instant
  private var isChanged = false
  private var card: ModelCard
  private var batchSize = 0

  init(_ run: ServedRun, _ learner: Learner, _ records: RunRecords, _ card: ModelCard) {
    (self.run, self.learner, self.records, self.card) = (run, learner, records, card)
    (nextWeights, nextCount) = (clock.now, clock.now)
  }

  /// Publishes the first weights.
  func begin(_ assembly: RunAssembly, _ loop: TrainingLoop) throws {
    card = card.with(loop.incoming.classes)
    try publish(step: loop.position.steps)
    batchSize = assembly.configuration.recipe.batchSize
    run.notify(
      .ready(
        card, plan: assembly.plan, threads: assembly.configuration.machine.threads,
        examplesTaken: loop.incoming.tally.taken))
    run.notify(.step(try figures(StepRecord.none(loop.position.steps), of: loop)))
  }

  func observe(_ step: StepRecord, of loop: TrainingLoop) throws {
    isChanged = isChanged || step.report != nil
    if loop.incoming.classes.count != card.classes {
      card = card.with(loop.incoming.classes)
      run.notify(.grown(card))
      nextWeights = clock.now
    }
    if isChanged, clock.now >= nextWeights { try publish(step: step.step) }
    run.notify(.step(try figures(step, of: loop)))
  }

  /// Publishes the weights of the finished run.
  func end(_ loop: TrainingLoop) throws { try publish(step: loop.position.steps) }

  private func publish(step: Int) throws {
    run.weights.put(try .init(copying: learner.evaluatedState, of: card, step: step))
    (nextWeights, isChanged) = (clock.now + run.interval, false)
  }

  private func figures(_ step: StepRecord, of loop: TrainingLoop) throws -> StepFigures {
    StepFigures(
      examplesTaken: loop.incoming.tally.taken, end: loop.position.coolDown.map { $0.lastStep * batchSize },
      report: step.report, replayLoss: step.replayLoss,
      correct: step.predictions.count(where: \.isCorrect),
      onlineAccuracy: records.online.measures.cumulative.accuracy, memory: counts(of: loop))
  }

  /// Counts the items now and then, in at most a hundredth of the time.
  private func counts(of loop: TrainingLoop) -> MemoryCounts? {
    guard clock.now >= nextCount, let memory = loop.rehearsal?.memory else { return nil }
    var counts: MemoryCounts?
    let duration = clock.measure { counts = MemoryCounts(memory, examplesTaken: loop.incoming.tally.taken) }
    nextCount = clock.now + max(.seconds(1), duration * 100)
    return counts
  }
}
