import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// Decides what is logged of a run and when, and hands it to the loggers.
///
/// At most 2,000 points, 20 histograms and 10 pictures of the memory a run, at steps that follow from its length alone. What it needs to
/// go on is part of a checkpoint, so that a run that goes on is logged as if nothing had been. No result depends on it.
final class RunLog: StepObserver {
  /// All that is needed to go on.
  struct State: Codable {
    /// Since the last point.
    var mean = StepMean()
    /// Of the last point, for what is counted between two.
    var examplesTrained = 0
    var seconds = 0.0
    var imageWaitSeconds = 0.0
    /// The step after which the memory was last looked at.
    var lastHistograms = 0
    var lastPicture = 0
  }

  private(set) var state = State()
  /// Spent here, by this process.
  private(set) var seconds = 0.0
  /// How the run will have ended, if it ends now.
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
  ///   - loggers: None, and nothing is written.
  ///   - pipeline: How the run prepares its images.
  ///   - notice: Says once that a logger has failed.
  init(
    _ loggers: [any RunLogger], configuration: RunConfiguration, plan: TrainingPlan, pipeline: ImagePipeline,
    notice: @escaping (String) -> Void
  ) {
    self.loggers = loggers
    self.configuration = configuration.withoutSecrets
    self.plan = plan
    self.notice = notice
    // What may stay for a time only is not copied to where it stays.
    if configuration.memory.timeToLive == nil, loggers.contains(where: \.takesPictures) {
      grid = MemoryGrid(pipeline)
    }
  }

  /// Begins to log, from the start or where a run is resumed.
  func begin(resuming saved: RunState?) {
    if let saved { state = saved.log }
    let run = LoggedRun(
      configuration: configuration, plan: plan, stepsDone: saved?.loop.position.steps ?? 0)
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

  /// Logs what the last steps were, where the stream ended before it was planned to.
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

  /// Logs what the evaluation came to.
  func finish(_ accuracy: RunResult.Accuracy, after step: Int) {
    var point = LogPoint(step: step, time: Date())
    point.scalars = [("evaluation/top1", accuracy.top1), ("evaluation/loss", accuracy.loss)]
    if let top5 = accuracy.top5 { point.scalars.append(("evaluation/top5", top5)) }
    write(point)
  }

  func makeDurable() { timed { each { try $0.makeDurable() } } }

  func end() {
    for logger in loggers {
      do { try logger.end(outcome) } catch { notice("The log \(logger.name) is not whole: \(error)") }
    }
    loggers = []
  }

  // MARK: What is logged

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
      notice("There are no more pictures of the memory: \(error)")
    }
  }

  // MARK: Loggers

  private func isDue(_ step: Int, most: Int) -> Bool {
    step % max(1, (plan.steps + most - 1) / most) == 0
  }

  private func write(_ point: LogPoint) {
    if !point.isEmpty { each { try $0.log(point) } }
  }

  /// Does without a logger that fails.
  private func each(_ body: (any RunLogger) throws -> Void) {
    loggers.removeAll { logger in
      do {
        try body(logger)
        return false
      } catch {
        notice("The run goes on without the log \(logger.name): \(error)")
        return true
      }
    }
  }

  private func timed(_ body: () -> Void) { seconds += clock.measure(body) / .seconds(1) }
}
