/// The mean loss and accuracy over the examples of the steps since it was last taken.
struct StepMean: Codable {
  private var lossSum = 0.0
  private var correctSum = 0.0
  private var examples = 0
  private var last: StepReport?

  mutating func add(_ report: StepReport) {
    lossSum += report.loss * Double(report.examples)
    correctSum += report.accuracy * Double(report.examples)
    examples += report.examples
    last = report
  }

  /// The report of the last step with the means over all steps, which are then reset; `nil` if there were no steps.
  mutating func take() -> StepReport? {
    guard examples > 0, var report = last else { return nil }
    report.loss = lossSum / Double(examples)
    report.accuracy = correctSum / Double(examples)
    report.examples = examples
    (lossSum, correctSum, examples) = (0, 0, 0)
    return report
  }
}
