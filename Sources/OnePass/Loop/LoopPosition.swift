import OnePassCore
import OnePassReplay

/// The progress of a run, and its last step.
struct LoopPosition {
  struct State: Codable {
    /// Completed steps.
    var steps = 0
    /// Examples back-propagated by all ranks, replays included.
    var examplesTrained = 0
    /// Seconds of training.
    var seconds = 0.0
    /// The requested cool-down, if any.
    var coolDown: CoolDown?
  }

  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  private(set) var state = State()
  private var ending: RunEnd
  /// Whether no step is in progress, so that all parts of the loop are at the same step.
  private(set) var isBetweenSteps = true
  private let clock = ContinuousClock()
  private var start: ContinuousClock.Instant?
  private var secondsBefore = 0.0

  init(_ configuration: RunConfiguration, _ plan: TrainingPlan) {
    self.configuration = configuration
    self.plan = plan
    ending = RunEnd(configuration, plan)
  }

  var steps: Int { state.steps }
  var examplesTrained: Int { state.examplesTrained }
  var seconds: Double { state.seconds }
  var coolDown: CoolDown? { ending.coolDown }
  /// The number of steps after which the run ends.
  var end: Int { ending.steps }
  /// The position of the current or next step within the planned run.
  var progress: RunProgress { RunProgress(step: steps, of: plan.steps) }

  mutating func restore(_ state: State) {
    self.state = state
    secondsBefore = state.seconds
    ending = RunEnd(configuration, plan, coolDown: state.coolDown)
  }

  /// Starts the clock of the run. Called before the first mini-batch is read.
  mutating func startClock() { start = start ?? clock.now }

  /// Excludes work between two steps from the time of the training.
  mutating func exclude(_ duration: Duration) { start = start.map { $0 + duration } }

  mutating func beginStep() { isBetweenSteps = false }

  /// Ends the run early, see ``RunEnd/coolDown(afterStep:updates:waiting:)``.
  mutating func coolDown(
    afterStep step: Int, updates: Int, waiting: Int
  ) -> (begun: CoolDown?, notice: String?) {
    let answer = ending.coolDown(afterStep: step, updates: updates, waiting: waiting)
    state.coolDown = ending.coolDown
    return answer
  }

  /// Skips a mini-batch without an image to train on.
  /// - Parameter steps: The number of completed steps, including this one.
  mutating func pass(
    over batch: IncomingBatch, steps: Int, _ requests: StepRequests, notice: String?
  ) -> StepRecord {
    state.steps = steps
    return StepRecord(
      step: steps, arrivals: batch.arrivals, report: nil, predictions: [], isFirstPass: batch.pass == 0,
      requests: requests, notice: notice)
  }

  /// Completes a step.
  mutating func advance(
    _ batch: IncomingBatch, _ replays: [ReplayBatch], _ outcome: StepOutcome, _ learner: any BatchLearner,
    memory: ReplayMemory?, seen: Int, notice: String?
  ) -> StepRecord {
    let alpha = configuration.replay.smoothing.alpha(at: progress)
    state.steps += 1
    state.examplesTrained += batch.whole.count + replays.reduce(0) { $0 + $1.drawn.count }
    if let start { state.seconds = secondsBefore + (clock.now - start) / .seconds(1) }
    isBetweenSteps = true
    let count = Double(outcome.losses.count)
    let predictions = zip(batch.whole, zip(outcome.predictions, outcome.losses)).map {
      OnlinePrediction(id: $0.id, label: $0.label, prediction: $1.0, loss: $1.1)
    }
    let report = StepReport(
      step: steps, steps: end, examplesSeen: seen, examplesTrained: examplesTrained,
      updates: learner.updatesMade, examples: outcome.losses.count,
      loss: outcome.losses.reduce(0) { $0 + Double($1) } / count,
      accuracy: Double(predictions.count(where: \.isCorrect)) / count,
      learningRate: learner.learningRate, alpha: alpha, memoryItems: memory?.counters.items ?? 0,
      memoryBytes: memory?.counters.bytes ?? 0, memoryFill: memory?.fill ?? 0, seconds: seconds)
    return StepRecord(
      step: steps, arrivals: batch.arrivals, report: report, predictions: predictions,
      isFirstPass: batch.pass == 0, requests: outcome.requests, notice: notice,
      replayLoss: outcome.meanReplayLoss)
  }
}
