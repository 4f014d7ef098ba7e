import OnePass
import OnePassReplay

/// What the replay memory held at the end.
extension Setting {
  /// The prioritised replays with the most replay steps, one for each storage.
  private var shownMemories: [Variant] {
    let k = prioritised.map(\.configuration.replay.steps).max()
    return prioritised.filter { $0.configuration.replay.steps == k && !$0.contents.isEmpty }
  }

  /// From which part of the stream the items come.
  var arrivalChart: Chart? {
    chart(
      "Age: where in the stream the items come from", "arrival, % of the stream", "items, %"
    ) {
      contents in
      let total = Double(max(1, contents.arrivals.reduce(0, +)))
      let step = 100 / Double(max(1, contents.arrivals.count))
      return contents.arrivals.enumerated().map { (step * (Double($0) + 0.5), 100 * Double($1) / total) }
    }
  }

  /// How often the items were replayed.
  var replayChart: Chart? {
    let names = ["0", "1", "2", "4", "8", "16", "32", "64", "128", "256", "512"]
    let largest = shownMemories.flatMap(\.contents).map(\.replays.counts.count).max() ?? 0
    let bins = min(names.count, largest)
    guard bins > 0 else { return nil }
    return chart(
      "Replays: how often the items were drawn", "replays of an item: each number up to the next", "items, %",
      ticks: (0..<bins).map { (Double($0), names[$0]) }
    ) { contents in
      let total = Double(max(1, contents.items))
      return (0..<bins).map { bin in
        // The last bin takes whatever lies beyond.
        let counts = contents.replays.counts
        let count =
          bin == names.count - 1
          ? counts.dropFirst(bin).reduce(0, +) : counts.indices.contains(bin) ? counts[bin] : 0
        return (Double(bin), 100 * Double(count) / total)
      }
    }
  }

  /// How evenly the classes share the memory.
  var balanceChart: Chart? {
    let classes = variants[0].records[0].result.plan.classes
    guard
      var chart = chart(
        "Balance: the share of each class", "class, from the most to the least frequent", "items, %",
        { contents in
          let shares = (0..<classes).map {
            Double(contents.itemsPerClass[$0] ?? 0) / Double(max(1, contents.items))
          }
          return shares.sorted(by: >).enumerated().map { (Double($0 + 1), 100 * $1) }
        })
    else { return nil }
    chart.levels.append(("even", 100 / Double(classes)))
    return chart
  }

  private func chart(
    _ title: String, _ horizontal: String, _ vertical: String,
    ticks: [(value: Double, label: String)]? = nil, _ figure: (MemorySummary) -> [(Double, Double)]
  ) -> Chart? {
    let lines = shownMemories.map { variant in (variant, Self.mean(variant.contents.map(figure))) }
    let points = lines.flatMap(\.1)
    guard !points.isEmpty else { return nil }
    var axis = Axis.linear(horizontal, points.map(\.0))
    if let ticks {
      axis = Axis(
        title: horizontal, range: -0.5...Double(ticks.count) - 0.5, scale: .linear, ticks: ticks)
    }
    var chart = Chart(
      title: title, horizontal: axis, vertical: .linear(vertical, points.map(\.1), includingZero: true))
    for (index, line) in lines.enumerated() {
      chart.series.append(
        .init(
          name: line.0.shortTitle, colour: index, points: line.1.map { Chart.Point(x: $0.0, y: $0.1) },
          style: points.count > 90 ? .course : .line))
    }
    return chart
  }

  /// The mean over seeds, place by place.
  private static func mean(_ lists: [[(Double, Double)]]) -> [(Double, Double)] {
    guard let first = lists.first else { return [] }
    return first.indices.map { index in
      let values = lists.compactMap { $0.indices.contains(index) ? $0[index].1 : nil }
      return (first[index].0, values.reduce(0, +) / Double(max(1, values.count)))
    }
  }

  /// What every memory held, in figures: means over the seeds.
  var memoryTable: ResultTable? {
    let held = variants.filter { !$0.contents.isEmpty }
    guard !held.isEmpty else { return nil }
    var table = ResultTable(
      "What the memory held at the end",
      columns: [
        "variant", "#items", "#kB of images", "#median age", "#never drawn", "#median replays",
        "#most replays",
        "#rarest class", "#commonest class", "#ever replayed",
      ])
    for variant in held {
      func mean(_ figure: (MemorySummary) -> Double) -> Double { Sample(variant.contents.map(figure)).mean }
      func share(_ contents: MemorySummary, _ pick: ([Int]) -> Int?) -> Double {
        let classes = variant.records[0].result.plan.classes
        let counts = (0..<classes).map { contents.itemsPerClass[$0] ?? 0 }
        return 100 * Double(pick(counts) ?? 0) / Double(max(1, contents.items))
      }
      let replayed = variant.sample { result in
        result.memory.map { 100 * Double($0.distinctDrawn) / Double(max(1, $0.examplesSeen)) }
      }
      let stream = Double(variant.examplesOfStream)
      table.add([
        variant.title, Figures.count(Int(mean { Double($0.items) }.rounded())),
        Figures.count(Int((mean { Double($0.imageBytes) } / 1_000).rounded())),
        ResultFigures.percent(mean { 100 * ($0.age?.median ?? 0) / stream }) + " %",
        ResultFigures.percent(mean { 100 * Double($0.neverDrawn) / Double(max(1, $0.items)) }) + " %",
        ResultFigures.percent(mean { $0.draws?.median ?? 0 }),
        ResultFigures.percent(mean { $0.draws?.maximum ?? 0 }),
        ResultFigures.percent(mean { share($0) { $0.min() } }) + " %",
        ResultFigures.percent(mean { share($0) { $0.max() } }) + " %",
        replayed.map { ResultFigures.percent($0.mean) + " %" } ?? "-",
      ])
    }
    table.notes = [
      "Means over the seeds. Age in percent of the stream; \"ever replayed\" is the share of the stream's examples that "
        + "were drawn at least once."
    ]
    return table
  }
}

extension Variant {
  /// What the memories of its runs held; empty where the records do not tell.
  var contents: [MemorySummary] { records.compactMap(\.result.memoryContents) }
}
