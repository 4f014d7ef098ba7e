import OnePass

/// The charts of one run over its stream.
struct RunCharts {
  private let slices: [CourseSlice]
  private let curve: [CurvePoint]

  init(_ slices: [CourseSlice], _ curve: [CurvePoint]) { (self.slices, self.curve) = (slices, curve) }

  /// The charts that have at least two points, with captions.
  var all: [(chart: Chart, caption: String)] {
    [
      accuracy.map { ($0, "On the incoming examples, before training on them.") },
      evaluated.map { ($0, "On the evaluation data (--eval-every).") },
      course("Online loss", "loss before training, nats", { $0.loss }).map {
        ($0, "On the incoming examples, before training on them.")
      },
      course("Memory size", "size with index, kB", fromZero: true, { $0.bytes.map { $0 / 1_000 } }).map {
        ($0, "Of the replay memory.")
      },
      course("Throughput", "trained images/s", fromZero: true, { $0.rate }).map {
        ($0, "Replays and decoding included. Depends on the machine and its load.")
      },
    ].compactMap(\.self)
  }

  private var accuracy: Chart? {
    course("Online accuracy", "top-1 before training, %") { point in point.accuracy.map { 100 * $0 } }
  }

  /// Every evaluation is a point of its own.
  private var evaluated: Chart? {
    let end = Double(max(1, curve.last?.examplesSeen ?? 1))
    return chart(
      "Accuracy along the stream", "top-1, %", fromZero: false, style: .line,
      curve.compactMap { point in
        point.evaluated.map { .init(x: 100 * Double(point.examplesSeen) / end, y: 100 * $0) }
      })
  }

  private func course(
    _ title: String, _ vertical: String, fromZero: Bool = false, _ figure: (CourseSlice) -> Double?
  ) -> Chart? {
    chart(
      title, vertical, fromZero: fromZero, style: .course,
      slices.compactMap { slice in figure(slice).map { .init(x: 100 * slice.end, y: $0) } })
  }

  private func chart(
    _ title: String, _ vertical: String, fromZero: Bool, style: Chart.Style, _ points: [Chart.Point]
  ) -> Chart? {
    guard points.count > 1 else { return nil }
    var chart = Chart(
      title: title, horizontal: .linear("share of the examples seen, %", [0, 100]),
      vertical: .linear(vertical, points.map(\.y), includingZero: fromZero))
    chart.series.append(.init(name: "", colour: 0, points: points, style: style, isInLegend: false))
    return chart
  }
}
