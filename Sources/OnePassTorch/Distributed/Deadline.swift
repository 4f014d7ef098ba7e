import Foundation
import Synchronization

/// Runs `body` on a separate thread and returns its result; `nil` after `timeout`, while the thread continues.
///
/// Used for calls that may wait for another machine indefinitely and cannot be cancelled.
/// - Parameter meanwhile: Called on this thread about once a second while `body` runs.
func outcome<Value: Sendable>(
  within timeout: Duration, meanwhile: () -> Void = {}, of body: @escaping @Sendable () throws -> Value
) -> Result<Value, any Error>? {
  let deadline = ContinuousClock.now + timeout
  let made = Made<Value>()
  let isDone = DispatchSemaphore(value: 0)
  Thread.detachNewThread {
    let result = Result(catching: body)
    made.result.withLock { $0 = result }
    isDone.signal()
  }
  while true {
    let rest = deadline - .now
    if isDone.wait(timeout: .now() + max(0, min(rest, .seconds(1)) / .seconds(1))) == .success {
      return made.result.withLock { $0 }
    }
    if rest <= .seconds(1) { return nil }
    meanwhile()
  }
}

private final class Made<Value: Sendable>: Sendable {
  let result = Mutex<Result<Value, any Error>?>(nil)
}
