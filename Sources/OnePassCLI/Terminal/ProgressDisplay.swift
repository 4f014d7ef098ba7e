import Foundation
import OnePass

/// An observer of the events of a run.
protocol TrainingObserver {
  func show(_ event: TrainingEvent)
  /// Ends an unfinished status line.
  func closeLine()
  /// Whether it shows that the stream delivers nothing.
  var showsWaits: Bool { get }
}

/// Shows nothing: of several processes only the first shows progress.
struct SilentObserver: TrainingObserver {
  func show(_ event: TrainingEvent) {}
  func closeLine() {}
  let showsWaits = false
}

/// Shows the progress of a run as a status line on a terminal, or as plain lines.
///
/// If standard error is not a terminal, it shows only notices, unless lines are requested.
final class ProgressDisplay: TrainingObserver {
  private enum Mode { case live, lines, silent }

  private let mode: Mode
  private let clock = ContinuousClock()
  private var lastShown: ContinuousClock.Instant?
  /// The length of the open status line; 0 for none.
  private var openLength = 0
  private var text = ProgressText()
  private var plannedSteps = 0

  private static let liveInterval = Duration.milliseconds(200)
  private static let plainInterval = Duration.seconds(10)

  init(quiet: Bool, lines: Bool = false) {
    mode = quiet ? .silent : lines ? .lines : Console.isLive ? .live : .silent
  }

  func show(_ event: TrainingEvent) {
    switch event {
    case .notice(let text):
      closeLine()
      Console.note(text)
    case .drift(let alarm):
      closeLine()
      Console.note(alarm.description)
    case .started(let plan):
      text.begin(plan)
      plannedSteps = plan.steps
      guard mode != .silent else { return }
      Console.error(ProgressText.start(plan))
    case .step(let report):
      text.note(report)
      guard isDue(isLast: report.step == report.steps) else { return }
      write(text.line(report, fitting: mode == .live ? Console.width - 1 : nil))
    case .resumed(let steps, let examples):
      guard mode != .silent else { return }
      Console.error(
        "Resumed after \(Figures.count(steps, "step")) and \(Figures.count(examples, "example")).")
    case .checkpoint: break
    case .evaluated(let examples, let total):
      guard isDue(isLast: examples == total) else { return }
      write("evaluating  \(Figures.count(examples))" + (total.map { " of \(Figures.count($0))" } ?? ""))
    case .measured(let accuracy, let steps):
      // The summary has the final accuracy.
      guard mode == .lines || (mode == .live && steps < plannedSteps) else { return }
      closeLine()
      Console.error(
        "evaluated after \(Figures.count(steps, "step"))  top-1 \(Figures.percent(accuracy.top1))")
    }
  }

  var showsWaits: Bool { mode != .silent }

  func closeLine() {
    if openLength > 0 { Console.status("\n") }
    openLength = 0
  }

  private func isDue(isLast: Bool) -> Bool {
    guard mode != .silent else { return false }
    let now = clock.now
    if let lastShown, !isLast, now - lastShown < (mode == .live ? Self.liveInterval : Self.plainInterval) {
      return false
    }
    lastShown = now
    return true
  }

  private func write(_ line: String) {
    guard mode == .live else { return Console.error(line) }
    // A wrapped line cannot be overwritten. A narrower terminal wraps lines that fitted before.
    let width = Console.width
    if openLength >= width { closeLine() }
    let shown = line.prefix(width - 1)
    Console.status("\r\u{1B}[2K\(shown)")
    openLength = shown.count
  }
}
