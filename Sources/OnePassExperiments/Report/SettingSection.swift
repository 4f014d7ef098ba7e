import OnePass

/// The part of the report about one setting.
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
    <h3>Over the stream</h3>
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
        "Error bars are standard errors over seeds. The dashed lines lead to multi-epoch training of the same compute, "
          + "which keeps everything."
      ),
      (
        setting.methodsChart,
        "The best methods of this setting, and the paper's. Hollow: everything kept, at the same compute."
      ),
      (setting.computeChart, "Error bars are standard errors over seeds."),
      (
        setting.paretoChart,
        "Each circle is a variant, its area the storage. Filled and numbered: not beaten on all three axes."
      ),
    ]
  }

  private var streamFigures: [Figure] {
    [
      (
        setting.onlineChart,
        "Each example is predicted before it is trained on, so the stream itself is the test; with batch statistics and "
          + "under the incoming crop."
      ),
      (setting.lossChart, "Mean over seeds."),
      (setting.memoryBytesChart, "What the memory held, index included."),
      (
        setting.rateChart,
        "Replays and decoding included. It depends on the machine and on what else ran on it."
      ),
    ]
  }

  private var memoryFigures: [Figure] {
    [
      (setting.arrivalChart, "Twenty equal parts of the stream, the oldest on the left."),
      (setting.replayChart, "Of the items held at the end."),
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
      <p class=warn>\(single) of \(setting.variants.count) variants \(single == 1 ? "has" : "have") only one seed. Such figures have no error, and \
      differences between them may be chance.</p>
      """
  }

  private var memory: String {
    guard let table = setting.memoryTable else { return "" }
    return """
      <h3>What the memory held</h3>
      \(figures(memoryFigures))
      \(table.html)
      """
  }

  /// Every run with its cost, and every variant's configuration.
  private var cells: String {
    var table = ResultTable(
      "Every run",
      columns: [
        "run", "#seed", "#top-1", "#loss", "#storage", "#bytes", "#compute", "#updates", "#images/s",
        "#minutes",
        "#threads", "version",
      ])
    for record in setting.variants.flatMap(\.records) {
      let result = record.result
      table.add([
        record.name, "\(result.configuration.seed)",
        result.accuracy.map { Figures.percent($0.top1, decimals: 2) } ?? "-",
        result.accuracy.map { Figures.loss($0.loss) } ?? "-",
        Figures.percent(result.storage.exampleFraction), Figures.percent(result.storage.byteFraction),
        Figures.percent(result.compute.fraction, decimals: 2), Figures.count(result.compute.updates),
        Figures.count(Int(result.throughput.imagesPerSecond)), ResultFigures.percent(result.wallSeconds / 60),
        result.configuration.machine.threads.map { "\($0)" } ?? "-", result.versionText,
      ])
    }
    return """
      <h3>Every run, its configuration and its cost</h3>
      <details><summary>\(setting.variants.reduce(0) { $0 + $1.records.count }) runs</summary>\(table.html)</details>
      <details><summary>Configuration of \(setting.variants.count) variants</summary>\(configurations)</details>
      """
  }
  /// The options in which the variants differ, and those that all of them share; as they were resolved.
  private var configurations: String {
    let options = setting.variants.map { $0.configuration.options }
    let shared = (options.first ?? []).indices.filter { index in
      Set(options.map { $0[index].value }).count == 1
    }
    var common = ResultTable("Shared by all variants", columns: ["option", "value"])
    for index in shared
    where !["seed", "threads", "decode-threads", "device"].contains(options[0][index].name) {
      common.add([options[0][index].name, options[0][index].value])
    }
    let differing = (options.first ?? []).indices.filter { !shared.contains($0) }
    var own = ResultTable(
      "What sets them apart", columns: ["variant"] + differing.map { options[0][$0].name })
    for (variant, options) in zip(setting.variants, options) {
      own.add([variant.title] + differing.map { options[$0].value })
    }
    own.notes = [
      "An option that a method does not use has a fixed value here. Every option of every run is in its result.json."
    ]
    return (differing.isEmpty ? "" : own.html) + common.html
  }
}
