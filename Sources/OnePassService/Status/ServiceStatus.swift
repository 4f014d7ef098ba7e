import Foundation
import OnePass
import OnePassCore
import Synchronization

/// What a service knows of itself, from any thread.
final class ServiceStatus: Sendable {
  private struct State {
    var state = ServiceReport.State.starting
    var reason: String?
    var card: ModelCard?
    var capacity: Int?
    var figures: StepFigures?
    var step: StepReport?
    var replayLoss: Double?
    var memory: MemoryCounts?
    var accepted = RollingRate()
    var trained = RollingRate()
    var lastTrained: Int?
    var predicted = RollingRate()
    var window = WindowAccuracy()
    var refused: [String: Int] = [:]
    var durations = Durations()
    var failedPredictions = 0
    var checkpoints = 0
    var lastCheckpoint: (time: Date, seconds: Double)?
    var mistakes: [(ServiceReport.Mistake, image: [UInt8])] = []
    var events: [ServiceReport.Event] = []
    var history = ServiceHistory()
    var lastHistory = (seen: -1, time: ContinuousClock.now)
  }

  static let mostMistakes = 12
  private static let mostEvents = 50
  private let state = Mutex(State())
  private let start = ContinuousClock.now
  private let startDate = Date()

  // MARK: Noting

  func set(_ new: ServiceReport.State, _ reason: String? = nil) {
    state.withLock { ($0.state, $0.reason) = (new, reason) }
  }

  var current: (state: ServiceReport.State, reason: String?) { state.withLock { ($0.state, $0.reason) } }

  func note(_ kind: ServiceReport.Event.Kind, _ text: String) {
    state.withLock { state in
      state.events.insert(.init(time: Date(), kind: kind, text: text), at: 0)
      state.events = Array(state.events.prefix(Self.mostEvents))
    }
  }

  func note(ready card: ModelCard, _ plan: TrainingPlan) {
    state.withLock { ($0.card, $0.capacity) = (card, plan.capacityExamples) }
  }

  /// Notes the examples of a run that was finished before.
  func note(finishedAfter examples: Int) { state.withLock { $0.lastTrained = examples } }

  /// Notes that there are new classes.
  func note(grown card: ModelCard) {
    let before = state.withLock { state in
      defer { state.card = card }
      return state.card?.classes ?? 0
    }
    let names = (before..<card.classes).prefix(10).map { "\"\(card.className($0))\"" }.joined(separator: ", ")
    let rest = card.classes - before > 10 ? " and \(card.classes - before - 10) more" : ""
    let kind = card.classes - before == 1 ? "class" : "classes"
    note(.newClass, "New \(kind): \(names)\(rest); \(card.classes) so far.")
  }

  func note(_ figures: StepFigures) {
    let now = ContinuousClock.now
    state.withLock { state in
      state.trained.add(
        figures.examplesTaken - (state.lastTrained ?? figures.examplesTaken), at: now, since: start)
      (state.lastTrained, state.figures) = (figures.examplesTaken, figures)
      if let memory = figures.memory { state.memory = memory }
      guard let report = figures.report else { return }
      (state.step, state.replayLoss) = (report, figures.replayLoss)
      state.window.add(correct: figures.correct, of: report.examples)
    }
  }

  func noteAccepted() { state.withLock { $0.accepted.add(1, at: .now, since: start) } }
  func noteRefused(_ reason: String) { state.withLock { $0.refused[reason, default: 0] += 1 } }

  func notePrediction(seconds: Double) {
    state.withLock {
      $0.durations.add(seconds)
      $0.predicted.add(1, at: .now, since: start)
    }
  }
  func noteFailedPrediction() { state.withLock { $0.failedPredictions += 1 } }

  func noteCheckpoint(step: Int, seconds: Double) {
    state.withLock {
      $0.checkpoints += 1
      $0.lastCheckpoint = (Date(), seconds)
    }
    note(.checkpoint, "Saved after step \(step) in \(Int((seconds * 1_000).rounded())) ms.")
  }

  func note(_ mistake: ServiceReport.Mistake, image: [UInt8]) {
    state.withLock { state in
      state.mistakes.insert((mistake, image), at: 0)
      state.mistakes = Array(state.mistakes.prefix(Self.mostMistakes))
    }
  }

  /// Forgets the pictures of all recent mistakes.
  func removeMistakes() { state.withLock { $0.mistakes = [] } }

  func picture(of mistake: String) -> [UInt8]? {
    state.withLock { $0.mistakes.first { $0.0.id == mistake }?.image }
  }

  var card: ModelCard? { state.withLock(\.card) }

  var examplesTaken: Int { state.withLock { $0.figures?.examplesTaken ?? 0 } }

  /// Adds a row to the history: after examples were trained, at most one a second.
  func updateHistory(lag: Int) {
    let now = ContinuousClock.now
    state.withLock { state in
      let seen = state.figures?.examplesTaken ?? 0
      guard seen != state.lastHistory.seen, now - state.lastHistory.time >= .seconds(1) else { return }
      state.lastHistory = (seen, now)
      state.history.add([
        Date().timeIntervalSince1970.rounded(), Double(seen), state.window.value, state.step?.loss,
        state.replayLoss, state.trained.value(at: now, since: start),
        state.predicted.value(at: now, since: start),
        Double(lag),
      ])
    }
  }

  var history: ServiceHistory { state.withLock(\.history) }

  // MARK: Reporting

  var counters: ServiceCounters {
    state.withLock {
      ServiceCounters(
        refused: $0.refused, durations: $0.durations, checkpoints: $0.checkpoints,
        lastCheckpoint: $0.lastCheckpoint, start: startDate)
    }
  }

  /// The report, without what the stores know.
  func report(name: String, starts: Int, classes: [String]) -> ServiceReport {
    let now = ContinuousClock.now
    return state.withLock { state in
      var report = ServiceReport(
        name: name, version: onePassVersion, state: state.state, startedAt: startDate,
        uptimeSeconds: (now - start) / .seconds(1), starts: starts, classes: classes)
      report.reason = state.reason
      report.examples.trained = state.figures?.examplesTaken ?? state.lastTrained ?? 0
      report.examples.refused = state.refused.values.reduce(0, +)
      report.examples.perSecond = state.trained.value(at: now, since: start)
      report.accuracy.online = state.figures?.onlineAccuracy
      report.accuracy.window = state.window.value
      report.accuracy.windowExamples = state.window.examples
      report.loss.incoming = state.step?.loss
      report.loss.replayed = state.replayLoss
      report.training.steps = state.step?.step ?? 0
      report.training.updates = state.step?.updates ?? 0
      report.training.learningRate = state.step?.learningRate
      report.predictions.count = state.durations.count
      report.predictions.failed = state.failedPredictions
      report.predictions.perSecond = state.predicted.value(at: now, since: start)
      report.predictions.p50Milliseconds = state.durations.quantile(0.5).map { $0 * 1_000 }
      report.predictions.p99Milliseconds = state.durations.quantile(0.99).map { $0 * 1_000 }
      report.memory = Self.memory(state, classes)
      report.mistakes = state.mistakes.map(\.0)
      report.events = state.events
      return report
    }
  }

  private static func memory(_ state: State, _ classes: [String]) -> ServiceReport.Memory {
    let counts = state.memory
    let width = counts?.binExamples ?? 1
    var memory = ServiceReport.Memory(
      items: state.step?.memoryItems ?? counts?.byClass.values.reduce(0, +) ?? 0,
      bytes: state.step?.memoryBytes ?? 0,
      byClass: classes.enumerated().map { .init(label: $0, name: $1, items: counts?.byClass[$0] ?? 0) },
      byAge: (counts?.byAge ?? []).enumerated().map {
        .init(from: $0 * width, to: ($0 + 1) * width, items: $1)
      })
    memory.capacity = state.capacity
    return memory
  }
}

/// What the metrics have beside the report.
package struct ServiceCounters: Sendable {
  /// The examples that were refused, by reason.
  package let refused: [String: Int]
  package let durations: Durations
  package let checkpoints: Int
  package let lastCheckpoint: (time: Date, seconds: Double)?
  package let start: Date
}
