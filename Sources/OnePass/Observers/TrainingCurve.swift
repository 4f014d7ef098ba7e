/// The curve of a run over its stream, with at most about 500 points.
///
/// Each point is the state after a step, with the mean loss and accuracy of the examples since the previous point.
struct TrainingCurve: Codable {
  private(set) var points: [StepReport] = []
  private var mean = StepMean()

  private static let largestCount = 500

  mutating func record(_ report: StepReport) {
    mean.add(report)
    let interval = max(1, (report.steps + Self.largestCount - 1) / Self.largestCount)
    if report.step % interval == 0 { finish() }
  }

  /// Adds a point for the steps since the last one.
  mutating func finish() {
    if let point = mean.take() { points.append(point) }
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

// Both are in one object, as in the checkpoints of the first version.
extension TrainingCurve {
  private enum CodingKeys: CodingKey { case points }

  init(from decoder: any Decoder) throws {
    points = try decoder.container(keyedBy: CodingKeys.self).decode([StepReport].self, forKey: .points)
    mean = try StepMean(from: decoder)
  }

  func encode(to encoder: any Encoder) throws {
    var record = encoder.container(keyedBy: CodingKeys.self)
    try record.encode(points, forKey: .points)
    try mean.encode(to: encoder)
  }
}
