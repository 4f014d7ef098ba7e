import Foundation
import OnePass
import OnePassBrokers
import OnePassCore
import OnePassData
import OnePassTorch
import Synchronization

/// Trains a run on a thread of its own. After a failure of the disk or of a broker it resumes from the last checkpoint.
final class TrainingLoopThread: Sendable {
  private enum CoolDownRequest { case none, requested, passedOn }

  private struct State {
    var stop = StopRequest()
    var isStopped = false
    /// Whether the thread has ended, and whether the run was saved then.
    var end: Bool?
    var checkpoints: [CheckedContinuation<SavedCheckpoint, any Error>] = []
    var hasPredictor = false
    var coolDown = CoolDownRequest.none
    var isCoolingDown = false
    /// What is done on the files of the run while it is stopped.
    var between: (@Sendable () -> Void)?
  }

  private let configuration: RunConfiguration
  private let folder: String
  private let inbox: Inbox?
  private let status: ServiceStatus
  private let predictions: PredictionQueue
  private let options: ServiceOptions
  private let weights = WeightsMailbox()
  private let state = Mutex(State())
  private static let pauseSeconds = 5.0

  /// - Parameters:
  ///   - folder: The folder of the run.
  ///   - inbox: The examples; `nil` if they come from a broker.
  init(
    _ configuration: RunConfiguration, folder: String, inbox: Inbox?, status: ServiceStatus,
    predictions: PredictionQueue, _ options: ServiceOptions
  ) {
    (self.configuration, self.folder, self.inbox) = (configuration, folder, inbox)
    (self.status, self.predictions, self.options) = (status, predictions, options)
  }

  /// Checks the options of the run, before anything is accepted.
  /// - Throws: `OnePassError`: `usage`; `unavailable` without libtorch.
  func check() throws {
    try Engine.load()
    _ = try TrainingRun(configuration, source: inbox.map { try source(of: $0) })
  }

  func start() {
    let thread = Thread { [self] in
      let isSaved = trainUntilStopped()
      doPaused()
      state.withLock { $0.end = isSaved }
      answerCheckpoints(.failure(ServiceProblem.finished))
    }
    thread.name = "onepass training"
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// - Returns: Whether the run is saved.
  private func trainUntilStopped() -> Bool {
    while true {
      do {
        if FileManager.default.fileExists(atPath: "\(folder)/result.json") { return try serveFinished() }
        status.set(.starting, inbox == nil ? "Waiting for the first examples." : waitingText)
        _ = try train()
        status.note(.finished, "The run is finished; predictions continue.")
        status.set(.finished, "The run is finished.")
        return true
      } catch is RunStopped {
        guard doPaused(), !state.withLock(\.isStopped) else { return true }
      } catch {
        let text = (error as? OnePassError)?.message ?? "\(error)"
        status.note(.error, text)
        status.set(.paused, text)
        answerCheckpoints(.failure(ServiceProblem.checkpointFailed(text)))
        guard let code = (error as? OnePassError)?.code,
          code == .io || code == .diskFull || code == .temporary
        else { return waitForStop() }
        if waitForStop(seconds: Self.pauseSeconds) { return false }
        status.note(.continued, "Resuming from the last checkpoint.")
      }
    }
  }

  private var waitingText: String {
    "Waiting for the first \(configuration.recipe.batchSize) examples, from which the run learns the size of images."
  }

  /// Does what was requested for a stopped run.
  /// - Returns: Whether anything was.
  @discardableResult
  private func doPaused() -> Bool {
    let work = state.withLock { state in
      defer { state.between = nil }
      return state.between
    }
    work?()
    return work != nil
  }

  /// Waits until the service stops. The run has failed, and is as its last checkpoint is.
  private func waitForStop() -> Bool {
    while !waitForStop(seconds: 60) {}
    return false
  }

  private func waitForStop(seconds: Double) -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while .now < end {
      if state.withLock(\.isStopped) { return true }
      doPaused()
      Thread.sleep(forTimeInterval: 0.05)
    }
    return false
  }

  private func train() throws -> RunResult {
    var run = try TrainingRun(configuration, source: inbox.map { try source(of: $0) })
    let stop = state.withLock { state in
      state.stop = StopRequest()
      if state.isStopped || state.between != nil { state.stop.stop() }
      return state.stop
    }
    run.served = ServedRun(weights, every: .seconds(options.weightsSeconds)) { [self] in take($0) }
    return try run.start(
      output: folder, resuming: true,
      checkpoints: CheckpointPlan(every: .seconds(options.checkpointSeconds)), stop: stop
    ) { [self] event in take(event) }
  }

  private func source(of inbox: Inbox) throws -> any ExampleSource {
    var live = OnePassData.LiveOptions()
    live.form = .image
    let address = BrokerAddress(inbox: inbox.journal.folder.path)
    return try LiveSource(
      InboxReader(inbox), of: address, live,
      SourceRequest(
        "\(address)", seed: configuration.seed, classNames: nil,
        subjectKey: configuration.data.subjectKey,
        classCount: configuration.data.classNames?.count ?? configuration.data.classCount, labelKey: nil,
        hasOpenClasses: configuration.data.openClasses != nil, live: live))
  }

  private func take(_ event: ServedRun.Event) {
    switch event {
    case .ready(let card, let plan, let threads, let taken):
      status.note(ready: card, plan)
      inbox?.note(trained: taken)
      if !state.withLock({ state in
        defer { state.hasPredictor = true }
        return state.hasPredictor
      }) {
        predictions.start(weights, threads: threads)
      }
      status.set(.ready)
    case .grown(let card): status.note(grown: card)
    case .step(let figures):
      inbox?.note(trained: figures.examplesTaken)
      if let end = figures.end {
        inbox?.end(at: end)
        state.withLock { ($0.coolDown, $0.isCoolingDown) = (.none, true) }
      }
      status.note(figures)
    }
  }

  private func take(_ event: TrainingEvent) {
    switch event {
    case .notice(let text): status.note(.notice, text)
    case .drift(let alarm): status.note(.drift, alarm.description)
    case .checkpoint(let step, let seconds):
      status.noteCheckpoint(step: step, seconds: seconds)
      answerCheckpoints(
        .success(SavedCheckpoint(step: step, position: status.examplesTaken, seconds: seconds)))
    case .started, .resumed, .step, .evaluated, .measured: break
    }
  }

  private func answerCheckpoints(_ result: Result<SavedCheckpoint, any Error>) {
    let waiting = state.withLock { state in
      defer { state.checkpoints = [] }
      return state.checkpoints
    }
    for continuation in waiting { continuation.resume(with: result) }
  }

  /// Predicts with the weights of a run that finished before this process started.
  private func serveFinished() throws -> Bool {
    let files = try RunFiles(folder)
    try weights.put(finished: folder)
    status.note(ready: try files.modelCard(), try RunFiles.result(in: folder).plan)
    predictions.start(weights, threads: configuration.machine.threads)
    status.note(finishedAfter: try files.position().examplesSeen)
    if let inbox { inbox.note(trained: inbox.accepted) }
    status.set(.finished, "The run is finished.")
    while !waitForStop(seconds: 60) {}
    return true
  }

  // MARK: Requests

  func checkpoint() async throws -> SavedCheckpoint {
    try await withCheckedThrowingContinuation { continuation in
      let isRefused = state.withLock { state in
        // Within the lock: what is added later than the state changes would not be answered.
        guard state.end == nil, status.current.state == .ready else { return true }
        state.checkpoints.append(continuation)
        state.stop.checkpoint()
        return false
      }
      if isRefused {
        continuation.resume(
          throwing: ServiceProblem.notReady(status.current.reason ?? "Nothing is trained."))
      }
    }
  }

  /// Calls `body` on the training thread while the run is saved and stopped, then resumes it.
  func pausing<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      let isRefused = state.withLock { state in
        guard state.end == nil, state.between == nil, !state.isStopped else { return true }
        state.between = { continuation.resume(with: Result { try body() }) }
        state.stop.stop()
        return false
      }
      if isRefused { continuation.resume(throwing: ServiceProblem.notReady("The run cannot be paused now.")) }
    }
  }

  /// Lets the run cool down, once the examples that wait now are nearly trained; until it has begun, no others are accepted.
  /// - Throws: ``ServiceProblem`` if the schedule does not cool down, or nothing is trained now.
  func coolDown() throws {
    guard configuration.recipe.schedule == .onDemand else { throw ServiceProblem.noCoolDown }
    guard status.current.state == .ready else {
      throw ServiceProblem.notReady(status.current.reason ?? "Nothing is trained.")
    }
    state.withLock { state in
      // Once it has begun, a further request has no effect.
      if !state.isCoolingDown, state.coolDown == .none { state.coolDown = .requested }
    }
  }

  /// Whether a cool-down was requested that has not begun.
  var awaitsCoolDown: Bool { state.withLock { $0.coolDown != .none } }

  /// Does what is due each second.
  func tick() {
    let limit = 2 * configuration.recipe.batchSize
    state.withLock { state in
      guard state.coolDown == .requested, (inbox?.waiting ?? 0) < limit, status.current.state == .ready else {
        return
      }
      state.coolDown = .passedOn
      state.stop.coolDown()
    }
  }

  /// - Returns: Whether the run was saved in time.
  func stop(within seconds: Double) async -> Bool {
    state.withLock { state in
      state.isStopped = true
      state.stop.stop()
    }
    let end = ContinuousClock.now + .seconds(seconds)
    while .now < end {
      if let isSaved = state.withLock(\.end) { return isSaved }
      try? await Task.sleep(for: .milliseconds(20))
    }
    return false
  }
}

/// A checkpoint that is durable.
package struct SavedCheckpoint: Sendable {
  package let step: Int
  /// The number of examples that were taken.
  package let position: Int
  /// How long it took.
  package let seconds: Double
}
