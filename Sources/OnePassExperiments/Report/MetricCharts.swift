import OnePass
import OnePassCore

/// Charts of accuracy by storage, by compute, and by both.
extension Setting {
  /// Accuracy by storage: a line for each k, and multi-epoch training at the same compute at 100 %.
  var storageChart: Chart? {
    let ks = Set(prioritised.map(\.configuration.replay.steps)).sorted()
    guard !ks.isEmpty else { return nil }
    let shown = prioritised.filter { storages.contains($0.configuration.memory.storage) }
    let lines = ks.map { k in (k, shown.filter { $0.configuration.replay.steps == k }) }
    let ends = ks.map { multiEpoch($0 + 1) }
    let all = prioritised + ends.compactMap(\.self) + [naive].compactMap(\.self)
    var chart = Chart(
      title: "Accuracy by storage",
      horizontal: .logarithmic("storage, % of the stream's examples", prioritised.map(\.storage) + [100]),
      vertical: .linear("top-1, %", all.flatMap(\.accuracyRange)))
    for (index, (line, end)) in zip(lines, ends).enumerated() {
      let points = line.1.sorted { $0.storage < $1.storage }.compactMap { $0.point(at: $0.storage) }
      chart.series.append(.init(name: "k = \(line.0)", colour: index, points: points))
      if let last = points.last, let target = end?.point(at: 100) {
        chart.series.append(
          .init(
            name: "", colour: index, points: [last.withoutError, target], style: .dashed, isInLegend: false))
        chart.series.append(
          .init(name: "\(line.0 + 1) passes", colour: index, points: [target], style: .points, isHollow: true)
        )
      }
    }
    if let level = naive?.accuracy?.mean { chart.levels.append(("naive one-pass", level)) }
    return chart
  }

  /// Accuracy by compute: a line for each storage, and multi-epoch training.
  var computeChart: Chart? {
    let judged = variants.filter { $0.accuracy != nil }
    guard judged.count > 1 else { return nil }
    var chart = Chart(
      title: "Accuracy by compute",
      horizontal: .logarithmic("compute, % of 90 passes", judged.map(\.compute)),
      vertical: .linear("top-1, %", judged.flatMap(\.accuracyRange)))
    for (index, storage) in storages.enumerated() {
      let line = prioritised.filter { $0.configuration.memory.storage == storage }.sorted {
        $0.compute < $1.compute
      }
      chart.series.append(
        .init(
          name: "replay, \(storage)", colour: index % 5, points: line.compactMap { $0.point(at: $0.compute) })
      )
    }
    let epochs = multiEpochs.sorted { $0.compute < $1.compute }
    if !epochs.isEmpty {
      chart.series.append(
        .init(
          name: "multi-epoch, 100%", colour: 6, points: epochs.compactMap { $0.point(at: $0.compute) },
          isHollow: true))
    }
    if let naive, let point = naive.point(at: naive.compute) {
      chart.series.append(
        .init(name: "naive, 0%", colour: 5, points: [point], style: .points, isHollow: true))
    }
    return chart
  }

  /// All variants as circles with areas by storage in bytes; filled and numbered on the Pareto front.
  var paretoChart: Chart? {
    let judged = variants.compactMap { variant in variant.accuracy.map { (variant, $0.mean) } }
    guard judged.count > 1 else { return nil }
    let front = paretoFront
    var chart = Chart(
      title: "Pareto front of accuracy, storage and compute",
      horizontal: .logarithmic("compute, % of 90 passes", judged.map(\.0.compute)),
      vertical: .linear("top-1, %", judged.map(\.1)))
    // The largest circles are drawn first, so that they do not hide smaller ones.
    for (variant, mean) in judged.sorted(by: { $0.0.storageBytes > $1.0.storageBytes }) {
      let place = front.firstIndex { $0.configuration == variant.configuration }
      chart.marks.append(
        .init(
          x: variant.compute, y: mean, radius: 3 + (min(variant.storageBytes, 100) / 100).squareRoot() * 11,
          colour: place == nil ? 6 : 0, isHollow: place == nil, text: place.map { "\($0 + 1)" } ?? "",
          label: "\(variant.title): \(ResultFigures.accuracy(variant.accuracy)) %, storage "
            + "\(ResultFigures.percent(variant.storageBytes)) % of bytes, compute \(ResultFigures.percent(variant.compute)) %"
        ))
    }
    return chart
  }

  /// The variants on the Pareto front, with the numbers of the chart.
  var paretoTable: ResultTable {
    var table = ResultTable(
      "Pareto front", columns: ["#no.", "variant", "#top-1", "#storage", "#bytes", "#compute"])
    for (index, variant) in paretoFront.enumerated() {
      table.add([
        "\(index + 1)", variant.title, ResultFigures.accuracy(variant.accuracy),
        ResultFigures.percent(variant.storage), ResultFigures.percent(variant.storageBytes),
        ResultFigures.percent(variant.compute),
      ])
    }
    table.notes = [
      "Variants that no other variant dominates in mean accuracy, bytes and compute. Differences between neighbours can "
        + "be within their standard errors."
    ]
    return table
  }
}

extension Variant {
  /// The mean accuracy with its standard error and a tooltip.
  func point(at x: Double) -> Chart.Point? {
    accuracy.map {
      Chart.Point(
        x: x, y: $0.mean, error: $0.standardError, label: "\(title): \(ResultFigures.accuracy($0)) %")
    }
  }

  /// The values that an axis must include.
  var accuracyRange: [Double] {
    accuracy.map { [$0.mean - ($0.standardError ?? 0), $0.mean + ($0.standardError ?? 0)] } ?? []
  }
}

extension Chart.Point {
  var withoutError: Chart.Point { Chart.Point(x: x, y: y) }
}
