import OnePass

/// The section of the report about one setting.
struct SettingSection {
  let setting: Setting
  let number: Int

  var html: String {
    """
    <section id=setting-\(number)><h2>\(escaped(setting.title))</h2>
    \(singleSeedWarning)
    \(tables([.table1, .table2]))
    <h3>Accuracy, storage, compute</h3>
    \(figures(metricFigures))
    \(setting.paretoTable.html)
    \(tables([.claims, .ablations, .recipe]))
    <h3>Learning curves</h3>
    \(figures(streamFigures))
    \(memory)
    \(tables([.variants]))
    \(cells)
    </section>
    """
  }

  private func tables(_ layouts: [TableLayout]) -> String {
    layouts.compactMap { $0.table(of: setting)?.html }.joined(separator: "\n")
  }

  private typealias Figure = (chart: Chart?, caption: String)

  private var metricFigures: [Figure] {
    [
      (
        setting.storageChart,
        "Error bars: standard error over seeds. Dashed lines lead to multi-epoch training at the same compute, which stores "
          + "the whole stream."
      ),
      (
        setting.methodsChart,
        "The best methods of this setting, and the paper's. Hollow: multi-epoch training at the same compute."
      ),
      (setting.computeChart, "Error bars: standard error over seeds."),
      (
        setting.paretoChart,
        "Each circle is a variant; its area is the storage in bytes. Filled and numbered: Pareto-optimal."
      ),
    ]
  }

  private var streamFigures: [Figure] {
    [
      (
        setting.onlineChart,
        "Each example is classified before the model trains on it, with batch statistics and the crop of the incoming "
          + "mini-batch."
      ),
      (
        setting.evaluationChart,
        "On the evaluation data, with the weights of that point of the stream. Mean over seeds."
      ),
      (setting.lossChart, "Mean over seeds."),
      (setting.memoryBytesChart, "Mean over seeds."),
      (
        setting.rateChart,
        "Replays and decoding included. Depends on the machine and its load."
      ),
    ]
  }

  private var memoryFigures: [Figure] {
    [
      (setting.arrivalChart, "Twenty equal parts of the stream, oldest first."),
      (setting.replayChart, "At the end of the run, mean over seeds."),
      (setting.balanceChart, "Mean over seeds."),
    ]
  }

  private func figures(_ figures: [Figure]) -> String {
    let shown = figures.compactMap { chart, caption in
      chart.map {
        "<figure><figcaption>\(escaped($0.title))<small>\(escaped(caption))</small></figcaption>\($0.svg)</figure>"
      }
    }
    return "<div class=charts>\(shown.joined(separator: "\n"))</div>"
  }

  private var singleSeedWarning: String {
    let single = setting.variants.filter { $0.n == 1 }.count
    guard single > 0 else { return "" }
    return """
      <p class=warn>\(single) of \(setting.variants.count) variants \(single == 1 ? "has" : "have") only one seed. These values have no standard \
      error, and differences between them can be noise.</p>
      """
  }

  private var memory: String {
    guard let table = setting.memoryTable else { return "" }
    return """
      <h3>Memory contents</h3>
      \(figures(memoryFigures))
      \(table.html)
      """
  }

  /// All runs with their cost, and the configurations of all variants.
  private var cells: String {
    var table = ResultTable(
      "All runs",
      columns: [
        "run", "#seed", "#top-1", "#loss", "#storage", "#bytes", "#compute", "#updates", "#images/s",
        "#minutes",
        "#threads", "version",
      ])
    for record in setting.variants.flatMap(\.records) {
      let result = record.result
      table.add([
        record.name, seeds(of: result.configuration),
        result.accuracy.map { Figures.percent($0.top1, decimals: 2) } ?? "-",
        result.accuracy.map { Figures.loss($0.loss) } ?? "-",
        Figures.percent(result.storage.exampleFraction), Figures.percent(result.storage.byteFraction),
        Figures.percent(result.compute.fraction, decimals: 2), Figures.count(result.compute.updates),
        Figures.count(Int(result.throughput.imagesPerSecond)), ResultFigures.percent(result.wallSeconds / 60),
        result.configuration.machine.threads.map { "\($0)" } ?? "-", result.versionText,
      ])
    }
    return """
      <h3>All runs and configurations</h3>
      <details><summary>\(setting.variants.reduce(0) { $0 + $1.records.count }) runs</summary>\(table.html)</details>
      <details><summary>Configuration of \(setting.variants.count) variants</summary>\(configurations)</details>
      """
  }

  /// `1`, or with a seed of the order `1, order 3`.
  private func seeds(of configuration: RunConfiguration) -> String {
    "\(configuration.seed)" + (configuration.orderSeed.map { ", order \($0)" } ?? "")
  }

  /// The resolved options: those in which the variants differ, and those that all variants share.
  private var configurations: String {
    let options = setting.variants.map { $0.configuration.options }
    let shared = (options.first ?? []).indices.filter { index in
      Set(options.map { $0[index].value }).count == 1
    }
    var common = ResultTable("Options of all variants", columns: ["option", "value"])
    for index in shared
    where !["seed", "order-seed", "threads", "decode-threads", "decode-memory", "device"].contains(
      options[0][index].name)
    {
      common.add([options[0][index].name, options[0][index].value])
    }
    let differing = (options.first ?? []).indices.filter { !shared.contains($0) }
    var own = ResultTable(
      "Options that differ", columns: ["variant"] + differing.map { options[0][$0].name })
    for (variant, options) in zip(setting.variants, options) {
      own.add([variant.title] + differing.map { options[$0].value })
    }
    own.notes = [
      "Options that a method does not use are shown with a fixed value. The result.json of a run has all its options."
    ]
    return (differing.isEmpty ? "" : own.html) + common.html
  }
}
