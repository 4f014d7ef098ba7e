import OnePass
import OnePassReplay

/// The charts of the memory of one run.
struct MemoryPageCharts {
  let memory: StoredMemory
  let summary: MemorySummary

  /// The maximum number of points in a cloud.
  private static let cloudPoints = 3_000

  init(_ memory: StoredMemory) { (self.memory, summary) = (memory, memory.summary) }

  private func percent(_ count: Int) -> Double { 100 * Double(count) / Double(max(1, summary.items)) }

  /// The items by position in the stream, with the expectation of the reservoir if it has a closed form.
  var arrivals: Chart {
    let step = 100 / Double(summary.arrivals.count)
    let expected = expectedArrivals.map { $0.map { 100 * $0 / Double(max(1, summary.items)) } } ?? []
    var chart = Chart(
      title: "Items by position in the stream",
      horizontal: .linear("position, % of the examples seen", [0, 100]),
      vertical: .linear("items, %", summary.arrivals.map(percent) + expected, includingZero: true))
    chart.bars = summary.arrivals.enumerated().map { part, count in
      let range = step * Double(part)...step * Double(part + 1)
      return .init(
        range: range, y: percent(count),
        label: "\(Figures.short(range.lowerBound)) – \(Figures.short(range.upperBound)) % of the stream: "
          + Figures.count(count, "item"))
    }
    if !expected.isEmpty {
      chart.series.append(
        .init(
          name: "expected from reservoir sampling", colour: 1,
          points: expected.enumerated().map { .init(x: step * (Double($0) + 0.5), y: $1) }, style: .course))
    }
    return chart
  }

  /// The expectation of the reservoir; `nil` if other rules also removed items.
  private var expectedArrivals: [Double]? {
    guard let configuration = memory.configuration, let capacity = memory.plan?.capacityExamples,
      let counters = memory.counters, configuration.memory.evicting == .uniform,
      configuration.memory.timeToLive == nil,
      counters.forgotten == 0
    else { return nil }
    return InclusionProbability(recencyBias: configuration.memory.recencyBias).expectedItems(
      examplesSeen: counters.examplesSeen, capacity: capacity, parts: summary.arrivals.count)
  }

  /// The items by number of replays.
  var replays: Chart {
    let names = summary.replays.counts.indices.map(MemorySummary.ReplayHistogram.name)
    let ticks = summary.replays.counts.indices.map { bin in
      (Double(bin), bin < 2 ? "\(bin)" : "\(1 << (bin - 1))…")
    }
    var chart = Chart(
      title: "Items by number of replays",
      horizontal: Axis(
        title: "replays of an item (bins from each number to the next)",
        range: -0.5...Double(max(1, names.count)) - 0.5,
        scale: .linear, ticks: ticks),
      vertical: .linear("items, %", summary.replays.counts.map(percent), includingZero: true))
    chart.bars = summary.replays.counts.enumerated().map { bin, count in
      .init(
        range: Double(bin) - 0.45...Double(bin) + 0.45, y: percent(count),
        label: "\(names[bin]) replays: \(Figures.count(count, "item"))")
    }
    return chart
  }

  var priorities: Chart { chart("Priorities", "priority", memory.priorities) }
  var losses: Chart { chart("Stored losses", "loss, nats", memory.losses) }

  private func chart(_ title: String, _ name: String, _ histogram: Histogram) -> Chart {
    var chart = Chart(
      title: title, horizontal: .linear(name, [histogram.lower, histogram.upper]),
      vertical: .linear("items, %", histogram.counts.map(percent), includingZero: true))
    chart.bars = histogram.counts.enumerated().map { part, count in
      let range = histogram.range(of: part)
      return .init(
        range: range, y: percent(count),
        label: "\(Figures.short(range.lowerBound)) – \(Figures.short(range.upperBound)): "
          + Figures.count(count, "item"))
    }
    return chart
  }

  /// The priority of each item by position.
  var priorityByPosition: Chart {
    cloud("Priority by position", "priority") { Double($0.priority) }
  }

  /// The stored loss of each item by position.
  var lossByPosition: Chart { cloud("Stored loss by position", "loss, nats") { Double($0.loss) } }

  /// The replays of each item by position.
  var replaysByPosition: Chart {
    cloud("Replays by position", "replays") { Double($0.draws) }
  }

  private func cloud(_ title: String, _ vertical: String, _ figure: (MemoryItem) -> Double) -> Chart {
    let every = (memory.items.count + Self.cloudPoints - 1) / Self.cloudPoints
    let items = stride(from: 0, to: memory.items.count, by: max(1, every)).map { memory.items[$0] }
    let values = items.map(figure)
    let (least, most) = (values.min() ?? 0, values.max() ?? 0)
    var chart = Chart(
      title: title,
      horizontal: .linear("position, % of the examples seen", [0, 100]),
      vertical: .linear(vertical, values, includingZero: most - least > 0.1 * most))
    let seen = Double(max(1, memory.examplesSeen))
    chart.cloud = items.map { (x: min(100, 100 * Double($0.id) / seen), y: figure($0)) }
    return chart
  }

  /// The class balance in descending order, for more classes than fit into a table.
  var balance: Chart {
    let shares = (0..<memory.card.classes).map { percent(summary.itemsPerClass[$0] ?? 0) }.sorted(by: >)
    let even = 100 / Double(max(1, shares.count))
    var chart = Chart(
      title: "Class balance",
      horizontal: .linear("class, by descending frequency", [1, Double(shares.count)]),
      vertical: .linear("items, %", shares + [even], includingZero: true))
    chart.series.append(
      .init(
        name: "", colour: 0, points: shares.enumerated().map { .init(x: Double($0 + 1), y: $1) },
        style: .course, isInLegend: false))
    chart.levels.append(("uniform", even))
    return chart
  }
}
