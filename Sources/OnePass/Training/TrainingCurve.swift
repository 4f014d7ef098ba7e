/// The course of a run over its stream, thinned to a fixed number of points.
///
/// Each point is the state after a step, with the mean loss and accuracy of the examples since the point before.
struct TrainingCurve: Codable {
  private(set) var points: [StepReport] = []
  private var lossSum = 0.0
  private var correctSum = 0.0
  private var examples = 0
  private var last: StepReport?

  private static let largestCount = 500

  mutating func record(_ report: StepReport) {
    lossSum += report.loss * Double(report.examples)
    correctSum += report.accuracy * Double(report.examples)
    examples += report.examples
    last = report
    let interval = max(1, (report.steps + Self.largestCount - 1) / Self.largestCount)
    if report.step % interval == 0 { finish() }
  }

  /// Adds the point of the last steps, which may be fewer than those between two points.
  mutating func finish() {
    guard examples > 0, var point = last else { return }
    point.loss = lossSum / Double(examples)
    point.accuracy = correctSum / Double(examples)
    point.examples = examples
    points.append(point)
    (lossSum, correctSum, examples) = (0, 0, 0)
  }

  /// Comma-separated values with a header line.
  var csv: String {
    var lines = [
      "step,examples_seen,examples_trained,updates,loss,accuracy,learning_rate,alpha,memory_items,memory_bytes,seconds"
    ]
    for point in points {
      lines.append(
        "\(point.step),\(point.examplesSeen),\(point.examplesTrained),\(point.updates),\(point.loss),"
          + "\(point.accuracy),\(point.learningRate),\(point.alpha),\(point.memoryItems),\(point.memoryBytes),\(point.seconds)"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
