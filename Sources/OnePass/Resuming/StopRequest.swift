import Synchronization

/// A request to stop or cool down a run, from any thread or signal handler.
///
/// ```swift
/// let stop = StopRequest()
/// let result = try TrainingRun(configuration).start(output: "runs/first", stop: stop) { event in
///   if case .step(let report) = event, report.seconds > 3_600 { stop.stop() }
/// }
/// ```
public final class StopRequest: Sendable {
  private let isSet = Atomic(false)
  private let isCooling = Atomic(false)
  private let isSaving = Atomic(false)

  /// Creates an object without a request.
  public init() {}

  /// Requests that the run stop after its current step.
  public func stop() { isSet.store(true, ordering: .relaxed) }

  /// Whether a stop was requested.
  public var isStopping: Bool { isSet.load(ordering: .relaxed) }

  /// Requests that the run save a checkpoint after its current step.
  public func checkpoint() { isSaving.store(true, ordering: .relaxed) }

  /// Whether a checkpoint is requested. The request is then answered.
  func takeCheckpoint() -> Bool { isSaving.exchange(false, ordering: .relaxed) }

  /// Requests that a run with `--schedule on-demand` cool down and finish. Other runs ignore it.
  public func coolDown() { isCooling.store(true, ordering: .relaxed) }

  /// Whether a cool-down was requested.
  public var isCoolingDown: Bool { isCooling.load(ordering: .relaxed) }
}

/// The error of a run that was stopped by request.
///
/// ```swift
/// do {
///   _ = try TrainingRun(configuration).start(output: "runs/first", stop: StopRequest())
/// } catch let stopped as RunStopped {
///   print("stopped after step \(stopped.step) of \(stopped.steps)")
/// }
/// ```
public struct RunStopped: Error, Sendable {
  /// The number of steps done.
  public let step: Int
  /// The number of steps of the whole run; `nil` for a stream without an end.
  public let steps: Int?
  /// The folder from which the run can be resumed; `nil` if it was not saved.
  public let output: String?
}
