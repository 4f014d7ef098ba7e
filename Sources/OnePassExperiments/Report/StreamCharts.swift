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

  /// What the memory held.
  var memoryBytesChart: Chart? {
    course("Memory over the stream", "bytes held, kB", fromZero: true) { $0.bytes.map { $0 / 1_000 } }
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
    var replays = 0
    for (variant, points) in lines {
      let isNaive = variant.configuration.method == .naive
      // Six colours, then the same ones dashed.
      chart.series.append(
        .init(
          name: isNaive ? "naive" : "replay, \(variant.shortTitle)", colour: isNaive ? 6 : replays % 6,
          points: points, style: replays >= 6 && !isNaive ? .dashedCourse : .course))
      if !isNaive { replays += 1 }
    }
    return chart
  }
}

/// A part of the stream with the means over all examples of all seeds in it.
struct CourseSlice {
  /// Where it ends, as a share of the stream.
  var end: Double
  var loss: Double
  var accuracy: Double?
  /// Trained images a second.
  var rate: Double?
  /// Held by the memory at its end; `nil` without a memory.
  var bytes: Double?
}

extension Variant {
  /// The course in up to forty slices of the stream; sums over seeds, then means.
  var course: [CourseSlice] {
    let count = min(40, records.map(\.curve.count).min() ?? 0)
    guard count > 1 else { return [] }
    return (0..<count).map { index in
      let parts = records.map { $0.part(index, of: count) }
      func sum(_ figure: (CurvePart) -> Double) -> Double { parts.reduce(0) { $0 + figure($1) } }
      let (examples, seconds) = (max(1, sum(\.examples)), sum(\.seconds))
      return CourseSlice(
        end: sum(\.end) / Double(parts.count), loss: sum(\.lossSum) / examples,
        accuracy: parts.allSatisfy { $0.correct != nil } ? sum { $0.correct ?? 0 } / examples : nil,
        rate: seconds > 0 ? sum(\.trained) / seconds : nil,
        bytes: configuration.method == .replay ? sum(\.bytes) / Double(parts.count) : nil)
    }
  }
}

/// Some neighbouring points of one curve, as sums.
private struct CurvePart {
  var end = 0.0
  var examples = 0.0
  var lossSum = 0.0
  var correct: Double? = 0
  var trained = 0.0
  var seconds = 0.0
  var bytes = 0.0
}

extension RunRecord {
  fileprivate func part(_ index: Int, of count: Int) -> CurvePart {
    var part = CurvePart()
    for position in index * curve.count / count..<(index + 1) * curve.count / count {
      let (point, before) = (curve[position], position > 0 ? curve[position - 1] : nil)
      let examples = Double(point.examplesSeen - (before?.examplesSeen ?? 0))
      part.examples += examples
      part.lossSum += point.loss * examples
      part.correct = point.accuracy.flatMap { accuracy in part.correct.map { $0 + accuracy * examples } }
      part.trained += Double(point.examplesTrained - (before?.examplesTrained ?? 0))
      part.seconds += point.seconds - (before?.seconds ?? 0)
      part.bytes = Double(point.memoryBytes)
      part.end = Double(point.examplesSeen) / Double(max(1, curve.last?.examplesSeen ?? 1))
    }
    return part
  }
}
