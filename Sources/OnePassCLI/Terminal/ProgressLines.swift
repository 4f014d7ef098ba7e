import ArgumentParser
import OnePass

/// The format of the progress of `train`.
enum ProgressStyle: String, CaseIterable, ExpressibleByArgument {
  /// A status line on a terminal; nothing elsewhere.
  case auto
  /// A line every ten seconds, also into a file or a pipe.
  case lines
  /// JSON Lines.
  case json
}

/// Writes the progress of a run to standard error as JSON Lines, at most twice a second.
final class ProgressLines: TrainingObserver {
  private let clock = ContinuousClock()
  private var lastShown: ContinuousClock.Instant?

  func show(_ event: TrainingEvent) {
    guard isDue(event), let line = try? ProgressLine(event).text else { return }
    Console.error(line)
  }

  func closeLine() {}

  private func isDue(_ event: TrainingEvent) -> Bool {
    switch event {
    case .notice, .started: return true
    case .step(let report) where report.step == report.steps: return true
    case .step, .evaluated:
      let now = clock.now
      if let lastShown, now - lastShown < .milliseconds(500) { return false }
      lastShown = now
      return true
    }
  }
}
