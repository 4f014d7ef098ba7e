import Foundation

/// What the threads around a running grid tell the one that runs it, in order.
///
/// `@unchecked Sendable` because `waiting` is touched only between `lock` and `unlock`.
final class SignalQueue<Signal: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var waiting: [Signal] = []

  func send(_ signal: Signal) {
    condition.lock()
    waiting.append(signal)
    condition.signal()
    condition.unlock()
  }

  /// The next signal, or `nil` after `seconds` without one.
  func receive(within seconds: Double) -> Signal? {
    condition.lock()
    defer { condition.unlock() }
    let deadline = Date(timeIntervalSinceNow: seconds)
    while waiting.isEmpty {
      guard condition.wait(until: deadline) else { break }
    }
    return waiting.isEmpty ? nil : waiting.removeFirst()
  }
}
