import OnePass

/// The course of the runs over their stream.
extension Setting {
  /// The most replay steps that were run with each storage, and naive training: what the courses show.
  private var shown: [Variant] {
    let storage = prioritised.map(\.storage).max() ?? 0
    return [naive].compactMap(\.self) + prioritised.filter { $0.storage == storage }
  }

  /// How well the stream was classified on its way in.
  var onlineChart: Chart? {
    course("Accuracy over the stream", "top-1 before training on it, %") { point in
      point.accuracy.map { 100 * $0 }
    }
  }

  /// The loss of the stream on its way in.
  var lossChart: Chart? {
    course("Loss over the stream", "loss before training on it, nats") { $0.loss }
  }

  /// Trained images a second, between two points of the curve.
  var rateChart: Chart? {
    course("Throughput over the stream", "trained images/s", fromZero: true) { $0.rate }
  }

  private func course(
    _ title: String, _ vertical: String, fromZero: Bool = false, _ figure: (CourseSlice) -> Double?
  ) -> Chart? {
    let lines = shown.compactMap { variant -> (Variant, [Chart.Point])? in
      let points = variant.course.compactMap { slice in
        figure(slice).map { Chart.Point(x: 100 * slice.end, y: $0) }
      }
      return points.count > 1 ? (variant, points) : nil
    }
    guard !lines.isEmpty else { return nil }
    var chart = Chart(
      title: title, horizontal: .linear("share of the stream, %", [0, 100]),
      vertical: .linear(vertical, lines.flatMap { $0.1.map(\.y) }, includingZero: fromZero))
    for (index, (variant, points)) in lines.enumerated() {
      let isNaive = variant.configuration.method == .naive
      chart.series.append(
        .init(
          name: isNaive ? "naive" : "replay, \(variant.shortTitle)",
          colour: isNaive ? 6 : (index - 1 + 7) % 6,
          points: points, style: .course))
    }
    return chart
  }
}

/// A part of the stream with the means over all examples of all seeds in it.
struct CourseSlice {
  /// Where it ends, as a share of the stream.
  var end: Double
  var examples = 0.0
  var loss = 0.0
  var accuracy: Double?
  var rate: Double?
}

extension Variant {
  /// The course in up to forty equal slices of the stream; sums over seeds, then means.
  var course: [CourseSlice] {
    let points = records.map { $0.curve.count }.min() ?? 0
    let count = min(40, points)
    guard count > 1 else { return [] }
    return (0..<count).map { index in
      var sums = (examples: 0.0, loss: 0.0, correct: 0.0, trained: 0.0, seconds: 0.0)
      var hasAccuracy = true
      for record in records {
        let curve = record.curve
        let range = index * curve.count / count..<(index + 1) * curve.count / count
        for position in range {
          let before = position > 0 ? curve[position - 1] : nil
          let examples = Double(curve[position].examplesSeen - (before?.examplesSeen ?? 0))
          sums.examples += examples
          sums.loss += curve[position].loss * examples
          if let accuracy = curve[position].accuracy {
            sums.correct += accuracy * examples
          } else {
            hasAccuracy = false
          }
          sums.trained += Double(curve[position].examplesTrained - (before?.examplesTrained ?? 0))
          sums.seconds += curve[position].seconds - (before?.seconds ?? 0)
        }
      }
      return CourseSlice(
        end: Double(index + 1) / Double(count), examples: sums.examples,
        loss: sums.loss / max(1, sums.examples),
        accuracy: hasAccuracy ? sums.correct / max(1, sums.examples) : nil,
        rate: sums.seconds > 0 ? sums.trained / sums.seconds : nil)
    }
  }
}
