import OnePass

/// The words in which a run says how it goes on.
struct ProgressText {
  /// Moving averages over the last steps, so that the line can be read.
  private var loss: Double?
  private var accuracy: Double?
  private var planned = (steps: 1, updates: 1)

  /// What is about to be trained.
  static func start(_ plan: TrainingPlan) -> String {
    let kept =
      plan.capacityExamples.map { ", memory of \(Figures.count($0, "example"))" }
      ?? plan.capacityBytes.map { ", memory of \(byteText($0))" } ?? ""
    return "Training on \(Figures.count(plan.streamExamples, "example")) of \(plan.classes) classes: "
      + "\(Figures.count(plan.steps, "step")), \(Figures.count(plan.updates, "update"))\(kept)."
  }

  mutating func begin(_ plan: TrainingPlan) { planned = (plan.steps, plan.updates) }

  /// Lets a step count for the averages.
  mutating func note(_ report: StepReport) {
    loss = loss.map { 0.9 * $0 + 0.1 * report.loss } ?? report.loss
    accuracy = accuracy.map { 0.9 * $0 + 0.1 * report.accuracy } ?? report.accuracy
  }

  /// How far the run is, in as many figures as there is room for.
  /// - Parameter columns: The room; without end if `nil`.
  func line(_ report: StepReport, fitting columns: Int?) -> String {
    let rate = Double(report.examplesTrained) / max(report.seconds, 1e-9)
    // Each with its weight: where there is no room, the lightest goes first.
    var parts: [(weight: Int, text: String)] = [
      (7, Self.padded("\(report.step * 100 / report.steps) %", to: 5)),
      (1, "step \(Figures.count(report.step))/\(Figures.count(report.steps))"),
      (5, "\(Figures.count(Int(rate))) images/s"),
      (4, "loss \(Figures.loss(loss ?? report.loss))"),
      (3, "accuracy \(Figures.percent(accuracy ?? report.accuracy))"),
    ]
    if report.memoryItems > 0 { parts.append((2, "memory \(Int(report.memoryFill * 100)) %")) }
    parts.append((6, "\(Figures.duration(secondsLeft(report))) left"))
    var line: String { parts.map(\.text).joined(separator: "  ") }
    while let columns, line.count > columns, parts.count > 1,
      let lightest = parts.indices.min(by: { parts[$0].weight < parts[$1].weight })
    {
      parts.remove(at: lightest)
    }
    return line
  }

  /// Judged by the updates, since the first step has no replays.
  private func secondsLeft(_ report: StepReport) -> Double {
    // A run may end before its plan.
    let updates = Double(planned.updates) * Double(report.steps) / Double(planned.steps)
    return report.seconds / Double(max(1, report.updates)) * max(0, updates - Double(report.updates))
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
