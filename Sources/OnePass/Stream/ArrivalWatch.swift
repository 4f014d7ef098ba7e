import Synchronization

/// Records since when a run has waited for its stream, so that another thread can report a stream that delivers nothing.
package final class ArrivalWatch: Sendable {
  /// A wait for the stream.
  package struct Wait: Sendable {
    /// The specification of the stream.
    package let stream: String
    /// The time since the wait began.
    package let duration: Duration
    /// What has arrived and was no example; `nil` for nothing.
    package let rejected: String?
  }

  private struct State {
    var stream = ""
    var rejected: @Sendable () -> String? = { nil }
    var start: ContinuousClock.Instant?
  }

  private let state = Mutex(State())

  package init() {}

  /// The current wait; `nil` if the run does not wait.
  package var wait: Wait? {
    state.withLock { state in
      state.start.map {
        Wait(
          stream: state.stream, duration: ContinuousClock.now - $0,
          rejected: state.rejected())
      }
    }
  }

  /// Determines the text about messages that are no examples.
  func describe(rejected: @escaping @Sendable () -> String?) { state.withLock { $0.rejected = rejected } }

  /// Runs `body`, which waits for the stream.
  /// - Parameter isPause: Whether a result means that nothing has arrived yet, so that the wait continues.
  func watching<Result>(
    _ stream: String, isPause: (Result) -> Bool = { _ in false }, _ body: () throws -> Result
  ) rethrows -> Result {
    state.withLock { state in
      state.stream = stream
      state.start = state.start ?? ContinuousClock.now
    }
    var continues = false
    defer { if !continues { state.withLock { $0.start = nil } } }
    let result = try body()
    continues = isPause(result)
    return result
  }
}
