import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// Collects the values to log and passes them to the loggers.
///
/// A run has at most 2,000 points, 20 histograms and 10 pictures of the memory, at steps that follow from its length. The state
/// is part of checkpoints, so that an interruption does not change the logs. Results do not depend on it.
final class RunLog: StepObserver {
  /// The state in a checkpoint.
  struct State: Codable {
    /// The mean since the last point.
    var mean = StepMean()
    /// The values at the last point, to compute rates.
    var examplesTrained = 0
    var seconds = 0.0
    var imageWaitSeconds = 0.0
    /// The steps of the last histograms and of the last picture.
    var lastHistograms = 0
    var lastPicture = 0
  }

  private(set) var state = State()
  /// The time that this process has spent on logging, in seconds.
  private(set) var seconds = 0.0
  /// The outcome to report if the run ends now.
  var outcome = RunOutcome.failed
  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  private var loggers: [any RunLogger]
  private var grid: MemoryGrid?
  private let notice: (String) -> Void
  private let clock = ContinuousClock()

  private static let mostPoints = 2_000
  private static let mostHistograms = 20
  private static let mostPictures = 10

  /// - Parameters:
  ///   - loggers: The loggers; nothing is collected if there are none.
  ///   - pipeline: The image pipeline of the run.
  ///   - notice: Called once for each logger that fails.
  init(
    _ loggers: [any RunLogger], configuration: RunConfiguration, plan: TrainingPlan, pipeline: ImagePipeline,
    notice: @escaping (String) -> Void
  ) {
    self.loggers = loggers
    self.configuration = configuration.withoutSecrets
    self.plan = plan
    self.notice = notice
    // Images with a time to live must not be copied to logs, which outlive them.
    if configuration.memory.timeToLive == nil, loggers.contains(where: \.takesPictures) {
      grid = MemoryGrid(pipeline)
    }
  }

  /// Starts to log a new or resumed run.
  func begin(resuming saved: RunState?) {
    if let saved { state = saved.log }
    let run = LoggedRun(
      configuration: configuration, plan: plan, stepsDone: saved?.loop.position.steps ?? 0,
      isTrained: saved.map { saved in
        let position = saved.loop.position
        return position.steps == position.coolDown?.lastStep ?? plan.steps
      } ?? false)
    each { try $0.begin(run) }
  }

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    guard !loggers.isEmpty, let report = step.report else { return }
    timed {
      state.mean.add(report)
      let isLast = report.step == report.steps
      var point = LogPoint(step: report.step, time: Date())
      if isLast || isDue(report.step, most: Self.mostPoints) { addScalars(to: &point, loop) }
      if isLast || isDue(report.step, most: Self.mostHistograms) { addHistograms(to: &point, loop) }
      if isLast || isDue(report.step, most: Self.mostPictures) { addPicture(to: &point, loop) }
      write(point)
    }
  }

  /// Logs the steps since the last point, if the stream ended earlier than planned.
  func finish(_ loop: TrainingLoop) {
    guard !loggers.isEmpty else { return }
    timed {
      var point = LogPoint(step: loop.position.steps, time: Date())
      addScalars(to: &point, loop)
      if state.lastHistograms < loop.position.steps { addHistograms(to: &point, loop) }
      if state.lastPicture < loop.position.steps { addPicture(to: &point, loop) }
      write(point)
    }
  }

  /// Logs the results of an evaluation.
  func log(_ accuracy: RunResult.Accuracy, after step: Int) {
    var point = LogPoint(step: step, time: Date())
    point.scalars = [("evaluation/top1", accuracy.top1), ("evaluation/loss", accuracy.loss)]
    if let top5 = accuracy.top5 { point.scalars.append(("evaluation/top5", top5)) }
    write(point)
  }

  func makeDurable() { timed { each { try $0.makeDurable() } } }

  func end() {
    for logger in loggers {
      do { try logger.end(outcome) } catch { notice("The log \(logger.name) is incomplete: \(error)") }
    }
    loggers = []
  }

  // MARK: Values

  private func addScalars(to point: inout LogPoint, _ loop: TrainingLoop) {
    guard let report = state.mean.take() else { return }
    let seconds = max(report.seconds - state.seconds, 1e-9)
    point.scalars = [
      ("loss/incoming", report.loss), ("accuracy/incoming", report.accuracy),
      ("optimiser/learning_rate", report.learningRate),
      ("progress/examples_seen", Double(report.examplesSeen)),
      ("progress/examples_trained", Double(report.examplesTrained)),
      ("progress/seconds", report.seconds),
      ("throughput/images_per_second", Double(report.examplesTrained - state.examplesTrained) / seconds),
      ("throughput/image_wait_share", (loop.incoming.imageWaitSeconds - state.imageWaitSeconds) / seconds),
    ]
    if let lag = report.lag { point.scalars.append(("stream/lag", Double(lag))) }
    if loop.rehearsal?.memory != nil {
      point.scalars += [
        ("memory/fill", report.memoryFill), ("memory/items", Double(report.memoryItems)),
        ("memory/bytes", Double(report.memoryBytes)), ("memory/alpha", report.alpha),
      ]
    }
    state.examplesTrained = report.examplesTrained
    state.seconds = report.seconds
    state.imageWaitSeconds = loop.incoming.imageWaitSeconds
  }

  private func addHistograms(to point: inout LogPoint, _ loop: TrainingLoop) {
    guard let memory = loop.rehearsal?.memory else { return }
    state.lastHistograms = loop.position.steps
    let items = memory.items
    for (name, values) in [
      ("memory/priority", items.map { Double($0.priority) }), ("memory/loss", items.map { Double($0.loss) }),
      ("memory/draws", items.map { Double($0.draws) }),
    ] {
      if let histogram = Histogram(spanning: values) {
        point.histograms.append((name, histogram))
      }
    }
  }

  private func addPicture(to point: inout LogPoint, _ loop: TrainingLoop) {
    guard let memory = loop.rehearsal?.memory, let grid else { return }
    state.lastPicture = loop.position.steps
    do {
      if let picture = try grid.draw(memory) {
        point.pictures = [("memory/by_priority", picture)]
      }
    } catch {
      self.grid = nil
      notice("Pictures of the memory are no longer logged: \(error)")
    }
  }

  // MARK: Loggers

  private func isDue(_ step: Int, most: Int) -> Bool {
    // Without an end, the number of points is not bounded.
    step % (plan.isEndless ? 200_000 / most : max(1, (plan.steps + most - 1) / most)) == 0
  }

  private func write(_ point: LogPoint) {
    if !point.isEmpty { each { try $0.log(point) } }
  }

  /// Calls each logger, and removes those that fail.
  private func each(_ body: (any RunLogger) throws -> Void) {
    loggers.removeAll { logger in
      do {
        try body(logger)
        return false
      } catch {
        notice("The run continues without the log \(logger.name): \(error)")
        return true
      }
    }
  }

  private func timed(_ body: () -> Void) { seconds += clock.measure(body) / .seconds(1) }
}
