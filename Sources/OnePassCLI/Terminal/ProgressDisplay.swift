import Foundation
import OnePass

/// What is told of a run while it goes on.
protocol TrainingObserver {
  func show(_ event: TrainingEvent)
  /// Ends a line that is still being renewed.
  func closeLine()
}

/// Says nothing: of processes that train together, one speaks for all.
struct SilentObserver: TrainingObserver {
  func show(_ event: TrainingEvent) {}
  func closeLine() {}
}

/// Shows how a run goes on: one line that renews itself on a terminal, a plain line now and then elsewhere.
final class ProgressDisplay: TrainingObserver {
  private let isLive: Bool
  private let isQuiet: Bool
  private let clock = ContinuousClock()
  private var lastShown: ContinuousClock.Instant?
  private var hasOpenLine = false
  /// A moving average over the last steps, so that the line can be read.
  private var loss: Double?
  private var plannedUpdates = 1

  private static let liveInterval = Duration.milliseconds(200)
  private static let plainInterval = Duration.seconds(10)

  init(quiet: Bool) {
    isQuiet = quiet
    isLive = Console.errorIsTerminal && !quiet
  }

  func show(_ event: TrainingEvent) {
    switch event {
    case .notice(let text):
      closeLine()
      Console.error("Note: \(text)")
    case .started(let plan):
      plannedUpdates = plan.updates
      guard !isQuiet else { return }
      let kept =
        plan.capacityExamples.map { ", memory of \(Figures.count($0, "example"))" }
        ?? plan.capacityBytes.map { ", memory of \(byteText($0))" } ?? ""
      Console.error(
        "Training on \(Figures.count(plan.streamExamples, "example")) of \(plan.classes) classes: "
          + "\(Figures.count(plan.steps, "step")), \(Figures.count(plan.updates, "update"))\(kept).")
    case .step(let report):
      loss = loss.map { 0.9 * $0 + 0.1 * report.loss } ?? report.loss
      guard isDue(isLast: report.step == report.steps) else { return }
      write(line(report))
    case .evaluated(let examples, let total):
      guard isDue(isLast: examples == total) else { return }
      write("evaluating  \(Figures.count(examples))" + (total.map { " of \(Figures.count($0))" } ?? ""))
    }
  }

  func closeLine() {
    if hasOpenLine { Console.status("\n") }
    hasOpenLine = false
  }

  private func line(_ report: StepReport) -> String {
    let rate = Double(report.examplesTrained) / max(report.seconds, 1e-9)
    let share = Double(report.step) / Double(report.steps)
    var parts = [
      String(format: "%3.0f %%", share * 100),
      "step \(Figures.count(report.step))/\(Figures.count(report.steps))",
      "\(Figures.count(Int(rate))) images/s",
      "loss " + Figures.loss(loss ?? report.loss),
    ]
    if report.memoryItems > 0 {
      parts.append("memory \(Figures.count(report.memoryItems)) (\(Int(report.memoryFill * 100)) %)")
    }
    parts.append("\(Figures.duration(secondsLeft(report))) left")
    return parts.joined(separator: "  ")
  }

  /// Judged by the updates, since the first step has no replays.
  private func secondsLeft(_ report: StepReport) -> Double {
    let left = plannedUpdates - report.updates
    return report.seconds / Double(max(1, report.updates)) * Double(left)
  }

  private func isDue(isLast: Bool) -> Bool {
    guard !isQuiet else { return false }
    let now = clock.now
    if let lastShown, !isLast, now - lastShown < (isLive ? Self.liveInterval : Self.plainInterval) {
      return false
    }
    lastShown = now
    return true
  }

  private func write(_ text: String) {
    if isLive {
      // A line that wraps could not be written over.
      Console.status("\r\u{1B}[2K\(text.prefix(Console.width - 1))")
      hasOpenLine = true
    } else {
      Console.error(text)
    }
  }
}
