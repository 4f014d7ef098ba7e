import Foundation
import Synchronization

/// What `body` makes of it on a thread of its own; `nil` if it takes longer than `timeout`, while the thread goes on.
///
/// For what may wait for another machine for minutes or for ever, and cannot be told not to.
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
