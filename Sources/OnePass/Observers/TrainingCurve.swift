/// The curve of a run over its stream, with at most about 500 points, and one for each evaluation along the stream.
///
/// Each point is the state after a step, with the mean loss and accuracy of the examples since the previous point.
struct TrainingCurve: Codable {
  private(set) var points: [StepReport] = []
  /// The accuracy on the evaluation data, by step.
  private(set) var evaluations: [RunResult.AccuracyPoint] = []
  /// The time of the evaluations before the last one, in seconds.
  private(set) var evaluationSeconds = 0.0
  private var mean = StepMean()

  private static let largestCount = 500

  mutating func record(_ report: StepReport) {
    mean.add(report)
    if Self.isDue(report) { finish() }
  }

  /// Whether a step is one of the at most about 500 that have a point.
  static func isDue(_ report: StepReport) -> Bool {
    report.step % max(1, (report.steps + largestCount - 1) / largestCount) == 0
  }

  /// Adds a point for the steps since the last one.
  mutating func finish() {
    if let point = mean.take() { points.append(point) }
  }

  /// Adds an evaluation after the last step.
  /// - Parameter seconds: Its duration.
  mutating func record(_ evaluation: RunResult.AccuracyPoint, seconds: Double) {
    finish()
    evaluations.append(evaluation)
    evaluationSeconds += seconds
  }

  /// Comma-separated values with a header line. Columns of the evaluation are present if there was one along the stream.
  var csv: String {
    var header =
      "step,examples_seen,examples_trained,updates,loss,accuracy,learning_rate,alpha,memory_items,memory_bytes,seconds"
    if !evaluations.isEmpty { header += ",evaluation_top1,evaluation_top5,evaluation_loss" }
    // The last point up to its step: a step without an image to train on has none.
    let byPoint = Dictionary(
      evaluations.compactMap { evaluation in
        points.last { $0.step <= evaluation.step }.map { ($0.step, evaluation) }
      }, uniquingKeysWith: { $1 })
    var lines = [header]
    for point in points {
      var line =
        "\(point.step),\(point.examplesSeen),\(point.examplesTrained),\(point.updates),\(point.loss),"
        + "\(point.accuracy),\(point.learningRate),\(point.alpha),\(point.memoryItems),\(point.memoryBytes),\(point.seconds)"
      if !evaluations.isEmpty {
        let found = byPoint[point.step]
        line += [found?.top1, found?.top5, found?.loss].map { $0.map { ",\($0)" } ?? "," }.joined()
      }
      lines.append(line)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

// All are in one object, as in the checkpoints of the first version.
extension TrainingCurve {
  private enum CodingKeys: CodingKey { case points, evaluations, evaluationSeconds }

  init(from decoder: any Decoder) throws {
    let record = try decoder.container(keyedBy: CodingKeys.self)
    points = try record.decode([StepReport].self, forKey: .points)
    evaluations = try record.decodeIfPresent([RunResult.AccuracyPoint].self, forKey: .evaluations) ?? []
    evaluationSeconds = try record.decodeIfPresent(Double.self, forKey: .evaluationSeconds) ?? 0
    mean = try StepMean(from: decoder)
  }

  func encode(to encoder: any Encoder) throws {
    var record = encoder.container(keyedBy: CodingKeys.self)
    try record.encode(points, forKey: .points)
    if !evaluations.isEmpty {
      try record.encode(evaluations, forKey: .evaluations)
      try record.encode(evaluationSeconds, forKey: .evaluationSeconds)
    }
    try mean.encode(to: encoder)
  }
}
