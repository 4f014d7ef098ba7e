import Foundation
import OnePass

/// Reports a stream that delivers nothing: after 10 s, and then after twice the time.
final class ArrivalNotices {
  private let timer: any DispatchSourceTimer

  /// - Parameters:
  ///   - watch: The waits of the run.
  ///   - report: Called on another thread.
  init(_ watch: ArrivalWatch, report: @escaping @Sendable (_ message: String, _ seconds: Double) -> Void) {
    // Only the handler of the timer uses it, which never runs twice at once.
    nonisolated(unsafe) var next = Self.first
    timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "onepass arrivals"))
    timer.schedule(deadline: .now() + 1, repeating: 1)
    timer.setEventHandler {
      guard let wait = watch.wait else {
        next = Self.first
        return
      }
      guard wait.duration >= next else { return }
      next = wait.duration * 2
      let seconds = wait.duration / .seconds(1)
      let time = "for \(Int(seconds)) s"
      let message =
        wait.rejected.map { "no example has arrived \(time): \($0)" } ?? "nothing has arrived \(time)"
      report("\(wait.stream): \(message).", seconds)
    }
    timer.resume()
  }

  private static let first = Duration.seconds(10)

  func cancel() { timer.cancel() }
}
