import Foundation
import Synchronization

/// Runs `body` on a separate thread and returns its result; `nil` after `timeout`, while the thread continues.
///
/// Used for calls that may wait for another machine indefinitely and cannot be cancelled.
func outcome<Value: Sendable>(
  within timeout: Duration, of body: @escaping @Sendable () throws -> Value
) -> Result<Value, any Error>? {
  let made = Made<Value>()
  let isDone = DispatchSemaphore(value: 0)
  Thread.detachNewThread {
    let result = Result(catching: body)
    made.result.withLock { $0 = result }
    isDone.signal()
  }
  guard isDone.wait(timeout: .now() + timeout / .seconds(1)) == .success else { return nil }
  return made.result.withLock { $0 }
}

private final class Made<Value: Sendable>: Sendable {
  let result = Mutex<Result<Value, any Error>?>(nil)
}
