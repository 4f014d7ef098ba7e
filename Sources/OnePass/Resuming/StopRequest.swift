import Synchronization

/// Asks a run to stop after its current step, from any thread or signal handler.
public final class StopRequest: Sendable {
  private let isSet = Atomic(false)
  private let isCooling = Atomic(false)

  public init() {}

  public func stop() { isSet.store(true, ordering: .relaxed) }

  public var isStopping: Bool { isSet.load(ordering: .relaxed) }

  /// Asks a run with `--schedule on-demand` to cool down and to end as a finished one; any other goes on.
  public func coolDown() { isCooling.store(true, ordering: .relaxed) }

  public var isCoolingDown: Bool { isCooling.load(ordering: .relaxed) }
}

/// A run that stopped because it was asked to, and can go on.
public struct RunStopped: Error, Sendable {
  /// Steps that are done.
  public let step: Int
  public let steps: Int
  /// The folder that the run can go on from; `nil` where nothing was saved.
  public let output: String?
}
