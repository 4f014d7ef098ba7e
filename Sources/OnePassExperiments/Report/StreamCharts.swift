import OnePass

/// Charts of the runs over their stream.
extension Setting {
  /// The variants in these charts: naive training, and prioritised replay with the largest storage.
  private var shown: [Variant] {
    let storage = prioritised.map(\.storage).max() ?? 0
    return [naive].compactMap(\.self) + prioritised.filter { $0.storage == storage }
  }

  /// The accuracy on incoming examples before training on them.
  var onlineChart: Chart? {
    course("Online accuracy", "top-1 before training, %") { point in
      point.accuracy.map { 100 * $0 }
    }
  }

  /// The accuracy on the evaluation data along the stream, of runs with `--eval-every`.
  var evaluationChart: Chart? {
    course("Accuracy along the stream", "top-1, %") { point in point.evaluated.map { 100 * $0 } }
  }

  /// The loss on incoming examples before training on them.
  var lossChart: Chart? {
    course("Online loss", "loss before training, nats") { $0.loss }
  }

  /// Trained images per second.
  var rateChart: Chart? {
    course("Throughput", "trained images/s", fromZero: true) { $0.rate }
  }

  /// The bytes of the memory.
  var memoryBytesChart: Chart? {
    course("Memory size", "size with index, kB", fromZero: true) { $0.bytes.map { $0 / 1_000 } }
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
      // Six colours, then the same colours dashed.
      chart.series.append(
        .init(
          name: isNaive ? "naive" : "replay, \(variant.shortTitle)", colour: isNaive ? 6 : replays % 6,
          points: points, style: replays >= 6 && !isNaive ? .dashedCourse : .course))
      if !isNaive { replays += 1 }
    }
    return chart
  }
}

/// A part of the stream, with means over the examples of all seeds.
struct CourseSlice {
  /// The end of the part as a share of the stream.
  var end: Double
  var loss: Double
  var accuracy: Double?
  /// The accuracy on the evaluation data; `nil` if a seed has none in this part.
  var evaluated: Double?
  /// Trained images per second.
  var rate: Double?
  /// The bytes of the memory at the end; `nil` without a memory.
  var bytes: Double?
}

extension CourseSlice {
  /// Curves in up to forty parts of the stream, with means over them.
  /// - Parameter hasMemory: Whether the runs have a replay memory.
  static func course(of curves: [[CurvePoint]], hasMemory: Bool) -> [CourseSlice] {
    let count = min(40, curves.map(\.count).min() ?? 0)
    guard count > 1 else { return [] }
    return (0..<count).map { index in
      let parts = curves.map { CurvePart(index, of: count, in: $0) }
      func sum(_ figure: (CurvePart) -> Double) -> Double { parts.reduce(0) { $0 + figure($1) } }
      let (examples, seconds) = (max(1, sum(\.examples)), sum(\.seconds))
      return CourseSlice(
        end: sum(\.end) / Double(parts.count), loss: sum(\.lossSum) / examples,
        accuracy: parts.allSatisfy { $0.correct != nil } ? sum { $0.correct ?? 0 } / examples : nil,
        evaluated: parts.allSatisfy { $0.evaluated != nil }
          ? sum { $0.evaluated ?? 0 } / Double(parts.count) : nil,
        rate: seconds > 0 ? sum(\.trained) / seconds : nil,
        bytes: hasMemory ? sum(\.bytes) / Double(parts.count) : nil)
    }
  }
}

extension Variant {
  var course: [CourseSlice] {
    CourseSlice.course(of: records.map(\.curve), hasMemory: configuration.method == .replay)
  }
}

/// The sums of adjacent points of one curve.
private struct CurvePart {
  var end = 0.0
  var examples = 0.0
  var lossSum = 0.0
  var correct: Double? = 0
  var evaluated: Double?
  var trained = 0.0
  var seconds = 0.0
  var bytes = 0.0

  /// - Parameters:
  ///   - index: The part, `0 ..< count`.
  ///   - count: The number of parts.
  init(_ index: Int, of count: Int, in curve: [CurvePoint]) {
    for position in index * curve.count / count..<(index + 1) * curve.count / count {
      let (point, before) = (curve[position], position > 0 ? curve[position - 1] : nil)
      let seen = Double(point.examplesSeen - (before?.examplesSeen ?? 0))
      examples += seen
      lossSum += point.loss * seen
      correct = point.accuracy.flatMap { accuracy in correct.map { $0 + accuracy * seen } }
      evaluated = point.evaluated ?? evaluated
      trained += Double(point.examplesTrained - (before?.examplesTrained ?? 0))
      seconds += point.seconds - (before?.seconds ?? 0)
      bytes = Double(point.memoryBytes)
      end = Double(point.examplesSeen) / Double(max(1, curve.last?.examplesSeen ?? 1))
    }
  }
}
