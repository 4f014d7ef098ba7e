import OnePass

/// The progress of a run as text.
struct ProgressText {
  /// Moving averages over the last steps, so that the line does not flicker.
  private var loss: Double?
  private var accuracy: Double?
  private var planned = (steps: 1, updates: 1)
  private var isPlanEndless = false

  /// The line before the first step.
  static func start(_ plan: TrainingPlan) -> String {
    let kept =
      plan.capacityExamples.map { ", memory of \(Figures.count($0, "example"))" }
      ?? plan.capacityBytes.map { ", memory of \(byteText($0))" } ?? ""
    let classes =
      plan.classLimit.map { "open classes (at most \(Figures.count($0)))" } ?? "\(plan.classes) classes"
    if plan.isEndless { return "Training on a stream without an end, of \(classes)\(kept)." }
    return "Training on \(Figures.count(plan.streamExamples, "example")) of \(classes): "
      + "\(Figures.count(plan.steps, "step")), \(Figures.count(plan.updates, "update"))\(kept)."
  }

  mutating func begin(_ plan: TrainingPlan) {
    (planned, isPlanEndless) = ((plan.steps, plan.updates), plan.isEndless)
  }

  /// Adds a step to the averages.
  mutating func note(_ report: StepReport) {
    loss = loss.map { 0.9 * $0 + 0.1 * report.loss } ?? report.loss
    accuracy = accuracy.map { 0.9 * $0 + 0.1 * report.accuracy } ?? report.accuracy
  }

  /// The line of a step, with as many figures as fit.
  /// - Parameter columns: The available width; `nil` for no limit.
  func line(_ report: StepReport, fitting columns: Int?) -> String {
    let isEndless = report.steps == planned.steps && isPlanEndless
    let rate = Double(report.examplesTrained) / max(report.seconds, 1e-9)
    // If the line is too long, the parts with the lowest weight are removed first.
    var parts: [(weight: Int, text: String)] = [
      (7, isEndless ? "" : Self.padded("\(report.step * 100 / report.steps) %", to: 5)),
      (1, "step \(Figures.count(report.step))" + (isEndless ? "" : "/\(Figures.count(report.steps))")),
      (5, "\(Figures.count(Int(rate))) images/s"),
      (4, "loss \(Figures.loss(loss ?? report.loss))"),
      (3, "accuracy \(Figures.percent(accuracy ?? report.accuracy))"),
    ]
    if report.memoryItems > 0 { parts.append((2, "memory \(Int(report.memoryFill * 100)) %")) }
    if let lag = report.lag { parts.append((6, "lag \(Figures.count(lag))")) }
    if !isEndless { parts.append((6, "\(Figures.duration(secondsLeft(report))) left")) }
    parts.removeAll { $0.text.isEmpty }
    var line: String { parts.map(\.text).joined(separator: "  ") }
    while let columns, line.count > columns, parts.count > 1,
      let lightest = parts.indices.min(by: { parts[$0].weight < parts[$1].weight })
    {
      parts.remove(at: lightest)
    }
    return line
  }

  /// Estimated from the updates, since the first step has no replays.
  private func secondsLeft(_ report: StepReport) -> Double {
    // A run can end before its planned number of steps.
    let updates = Double(planned.updates) * Double(report.steps) / Double(planned.steps)
    return report.seconds / Double(max(1, report.updates)) * max(0, updates - Double(report.updates))
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
