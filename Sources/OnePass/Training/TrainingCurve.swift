/// The course of a run over its stream, thinned to a fixed number of points.
///
/// Each point is the state after a step, with the mean of the losses since the point before.
struct TrainingCurve {
  private(set) var points: [StepReport] = []
  private var lossSum = 0.0
  private var lossCount = 0
  private var last: StepReport?

  private static let largestCount = 500

  mutating func record(_ report: StepReport) {
    lossSum += report.loss
    lossCount += 1
    last = report
    let interval = max(1, (report.steps + Self.largestCount - 1) / Self.largestCount)
    if report.step % interval == 0 { finish() }
  }

  /// Adds the point of the last steps, which may be fewer than those between two points.
  mutating func finish() {
    guard lossCount > 0, var point = last else { return }
    point.loss = lossSum / Double(lossCount)
    points.append(point)
    (lossSum, lossCount) = (0, 0)
  }

  /// Comma-separated values with a header line.
  var csv: String {
    var lines = [
      "step,examples_seen,examples_trained,updates,loss,learning_rate,alpha,memory_items,memory_bytes,seconds"
    ]
    for point in points {
      lines.append(
        "\(point.step),\(point.examplesSeen),\(point.examplesTrained),\(point.updates),\(point.loss),"
          + "\(point.learningRate),\(point.alpha),\(point.memoryItems),\(point.memoryBytes),\(point.seconds)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
