import Foundation

/// A first-in, first-out queue from the reading threads to the thread that runs the grid.
///
/// `@unchecked Sendable` because `waiting` is accessed only between `lock` and `unlock`.
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
