import OnePass
import OnePassReplay

/// Charts and a table of the final contents of the replay memory.
extension Setting {
  /// Prioritised replay with the largest k, one variant for each storage.
  private var shownMemories: [Variant] {
    let k = prioritised.map(\.configuration.replay.steps).max()
    return prioritised.filter { $0.configuration.replay.steps == k && !$0.contents.isEmpty }
  }

  /// The items by their position in the stream.
  var arrivalChart: Chart? {
    chart(
      "Items by position in the stream", "position, % of the stream", "items, %"
    ) {
      contents in
      let total = Double(max(1, contents.arrivals.reduce(0, +)))
      let step = 100 / Double(max(1, contents.arrivals.count))
      return contents.arrivals.enumerated().map { (step * (Double($0) + 0.5), 100 * Double($1) / total) }
    }
  }

  /// The items by their number of replays.
  var replayChart: Chart? {
    let names = ["0", "1", "2", "4", "8", "16", "32", "64", "128", "256", "512"]
    let largest = shownMemories.flatMap(\.contents).map(\.replays.counts.count).max() ?? 0
    let bins = min(names.count, largest)
    guard bins > 0 else { return nil }
    return chart(
      "Items by number of replays", "replays of an item (bins from each number to the next)", "items, %",
      ticks: (0..<bins).map { (Double($0), names[$0]) }
    ) { contents in
      let total = Double(max(1, contents.items))
      return (0..<bins).map { bin in
        // The last bin has no upper bound.
        let counts = contents.replays.counts
        let count =
          bin == names.count - 1
          ? counts.dropFirst(bin).reduce(0, +) : counts.indices.contains(bin) ? counts[bin] : 0
        return (Double(bin), 100 * Double(count) / total)
      }
    }
  }

  /// The class balance of the memory.
  var balanceChart: Chart? {
    let classes = variants[0].records[0].result.plan.classes
    guard
      var chart = chart(
        "Class balance", "class, by descending frequency", "items, %",
        { contents in
          let shares = (0..<classes).map {
            Double(contents.itemsPerClass[$0] ?? 0) / Double(max(1, contents.items))
          }
          return shares.sorted(by: >).enumerated().map { (Double($0 + 1), 100 * $1) }
        })
    else { return nil }
    chart.levels.append(("uniform", 100 / Double(classes)))
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

  /// The mean over seeds at each position.
  private static func mean(_ lists: [[(Double, Double)]]) -> [(Double, Double)] {
    guard let first = lists.first else { return [] }
    return first.indices.map { index in
      let values = lists.compactMap { $0.indices.contains(index) ? $0[index].1 : nil }
      return (first[index].0, values.reduce(0, +) / Double(max(1, values.count)))
    }
  }

  /// Statistics of the final memory of each variant, means over seeds.
  var memoryTable: ResultTable? {
    let held = variants.filter { !$0.contents.isEmpty }
    guard !held.isEmpty else { return nil }
    var table = ResultTable(
      "Final contents of the memory",
      columns: [
        "variant", "#items", "#images, kB", "#median age", "#never replayed", "#median replays",
        "#maximum replays", "#smallest class", "#largest class", "#stream replayed",
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
      "Means over seeds. Age: in percent of the stream. Never replayed: share of the items. Smallest and largest class: "
        + "share of the items. Stream replayed: share of the stream's examples that were replayed at least once."
    ]
    return table
  }
}

extension Variant {
  /// The final memories of the runs; empty if the records have none.
  var contents: [MemorySummary] { records.compactMap(\.result.memoryContents) }
}
