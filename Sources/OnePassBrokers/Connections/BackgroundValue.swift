import Foundation
import Synchronization

/// A value that takes time to determine. That happens on another thread, so that reading it never waits.
final class BackgroundValue<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var isSearching = false
    /// When a value was noted.
    var time: ContinuousClock.Instant?
  }

  private let state = Mutex(State())
  private let interval: Duration
  private let find: @Sendable () -> Value?

  /// - Parameters:
  ///   - seconds: The shortest time between a value and the next search.
  ///   - find: Determines the value; `nil` if that fails.
  init(every seconds: Double, find: @escaping @Sendable () -> Value?) {
    (interval, self.find) = (.seconds(seconds), find)
  }

  /// The value that was found last; `nil` if none was found yet. Reading it starts the next search.
  var latest: Value? {
    let (value, isDue) = state.withLock { state in
      let isDue = !state.isSearching && state.time.map { .now - $0 > interval } ?? true
      if isDue { state.isSearching = true }
      return (state.value, isDue)
    }
    if isDue { Thread.detachNewThread { [self] in note(find()) } }
    return value
  }

  /// Notes a value that was found.
  func note(_ value: Value?) {
    state.withLock { $0 = State(value: value ?? $0.value, time: .now) }
  }
}

/// The result of a call that may take longer than it should, on another thread.
/// - Returns: `nil` if there is none within the time. The call then ends by itself, and its result is dropped.
func result<Value: Sendable>(within seconds: Double, of call: @escaping @Sendable () -> Value) -> Value? {
  let (answer, isDone) = (LateValue<Value>(), DispatchSemaphore(value: 0))
  Thread.detachNewThread {
    let value = call()
    answer.value.withLock { $0 = value }
    isDone.signal()
  }
  _ = isDone.wait(timeout: .now() + seconds)
  return answer.value.withLock { $0 }
}

private final class LateValue<Value: Sendable>: Sendable {
  let value = Mutex<Value?>(nil)
}
