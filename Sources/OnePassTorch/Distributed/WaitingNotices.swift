import OnePassCore

extension ProcessGroup {
  /// A notice that this process waits for others to join.
  ///
  /// ```swift
  /// let waiting: (ProcessGroup.Waiting) -> Void = { print($0.message) }
  /// ```
  public struct Waiting: Hashable, Sendable {
    /// What is missing, and why: `Waiting for rank 0 at node1:29500 for 30 s: connection refused.`
    public let message: String
    /// The time since the process began to wait.
    public let duration: Duration
  }
}

/// Reports what a process waits for: first after 10 s, then after twice the time, but at least once a minute.
final class WaitingNotices {
  private let report: (ProcessGroup.Waiting) -> Void
  private let start = ContinuousClock.now
  private var next = Duration.seconds(10)

  init(_ report: @escaping (ProcessGroup.Waiting) -> Void) { self.report = report }

  /// Makes a report if one is due.
  /// - Parameters:
  ///   - subject: What is missing: `rank 0 at node1:29500`.
  ///   - reason: Why, if it is known.
  func update(_ subject: @autoclosure () -> String, _ reason: @autoclosure () -> String? = nil) {
    let duration = ContinuousClock.now - start
    guard duration >= next else { return }
    let shown = Duration.seconds((duration / .seconds(1)).rounded())
    report(
      ProcessGroup.Waiting(
        message: "Waiting for \(subject()) for \(shown.inSeconds)\(reason().map { ": \($0)" } ?? "").",
        duration: duration))
    next = duration + min(duration, .seconds(60))
  }
}
