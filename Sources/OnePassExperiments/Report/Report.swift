import Foundation
import OnePass
import OnePassCore

/// An HTML page about finished runs: tables, charts, memory contents and all runs. It needs no network.
package struct Report {
  private let records: RecordSet
  private let settings: [Setting]
  private let title: String

  /// A report on records.
  /// - Parameters:
  ///   - records: The records to show.
  ///   - title: The heading; `nil` for "One Pass ImageNet benchmark".
  package init(_ records: RecordSet, title: String? = nil) {
    self.records = records
    settings = Setting.settings(of: records.records)
    self.title = title ?? "One Pass ImageNet benchmark"
  }

  /// Writes the page atomically.
  /// - Throws: `OnePassError` (`io`) if the page cannot be written.
  package func write(to path: String) throws { try Self.write(html, to: path) }

  /// Writes each chart as an SVG file.
  /// - Returns: The names of the files.
  /// - Throws: `OnePassError` (`io`) if a file cannot be written.
  package func writeCharts(in folder: String) throws -> [String] {
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw OnePassError.cannotCreateFolder(folder, from: "--charts", cause: error)
    }
    var names: [String] = []
    for (index, setting) in settings.enumerated() {
      for (name, chart) in setting.charts {
        let file = settings.count == 1 ? "\(name).svg" : "\(name)-\(index + 1).svg"
        try Self.write(chart.file, to: "\(folder)/\(file)")
        names.append(file)
      }
    }
    return names
  }

  /// Writes a page about a run, in place of an earlier page with the same title only.
  /// - Parameter title: The element near the start of the page that identifies it.
  /// - Throws: `OnePassError`: `usage` if the path is another file, `io` if it cannot be written.
  static func write(_ text: String, to path: String, of run: String, titled title: String) throws {
    let present = FileHandle(forReadingAtPath: path).flatMap { try? $0.read(upToCount: 4_096) } ?? Data()
    guard present.isEmpty || present.range(of: Data(title.utf8)) != nil else {
      throw OnePassError.pageInTheWay(path, of: run)
    }
    try write(text, to: path)
  }

  static func write(_ text: String, to path: String) throws {
    do { try text.write(toFile: path, atomically: true, encoding: .utf8) } catch {
      throw OnePassError.cannotWritePage(path, cause: error)
    }
  }

  /// The text of the page.
  package var html: String {
    """
    <!DOCTYPE html>
    <html lang=en><head><meta charset=utf-8><meta name=viewport content="width=device-width,initial-scale=1">
    <title>\(escaped(title))</title><style>\(ReportStyle.page)</style></head><body>
    <h1>\(escaped(title))</h1>
    \(lead)
    \(settings.count > 1 ? navigation : "")
    \(problems)
    \(settings.enumerated().map { SettingSection(setting: $1, number: $0 + 1).html }.joined(separator: "\n"))
    </body></html>

    """
  }

  private var lead: String {
    let runs = records.records.map(\.result)
    func list(_ values: [String]) -> String { Array(Set(values)).sorted().joined(separator: "; ") }
    let machines = runs.compactMap(\.machine).map { machine in
      let accelerators =
        machine.accelerators.isEmpty ? "" : ", \(machine.accelerators.joined(separator: ", "))"
      return "\(machine.processor), \(machine.cores) cores, \(machine.system)\(accelerators)"
    }
    let hours = runs.reduce(0) { $0 + $1.wallSeconds } / 3_600
    return """
      <p class=lead>\(Figures.count(runs.count, "run")), \(escaped(String(format: "%.1f", hours))) hours in total. \
      onepass \(escaped(list(runs.map(\.versionText)))), libtorch \(escaped(list(runs.map(\.engine)))). \
      \(machines.isEmpty ? "" : "Hardware: \(escaped(list(machines))).")</p>
      <p class=lead>Three metrics: accuracy (top-1, single centre crop), storage (peak share of the stream that was kept) \
      and compute (back-propagated examples, relative to 90 passes). Method and tables follow \
      Hu, Li, Calandriello and Görür, One Pass ImageNet, 2021.</p>
      """
  }

  private var navigation: String {
    "<nav>"
      + settings.enumerated().map { "<a href=\"#setting-\($0 + 1)\">\(escaped($1.title))</a>" }.joined(
        separator: " ")
      + "</nav>"
  }

  private var problems: String {
    guard !records.problems.isEmpty else { return "" }
    let items = records.problems.map { "<li>\(escaped($0.path)): \(escaped($0.reason))</li>" }.joined()
    return """
      <div class=warn><p>\(records.problems.count) damaged or repeated \
      \(records.problems.count == 1 ? "record was" : "records were") skipped:</p><ul>\(items)</ul></div>
      """
  }
}

extension Setting {
  /// The charts of a setting with their file names.
  var charts: [(name: String, chart: Chart)] {
    [
      ("accuracy-storage", storageChart), ("methods-storage", methodsChart),
      ("accuracy-compute", computeChart), ("pareto-front", paretoChart),
      ("online-accuracy", onlineChart), ("evaluation-accuracy", evaluationChart), ("online-loss", lossChart),
      ("memory-bytes", memoryBytesChart),
      ("throughput", rateChart),
      ("memory-age", arrivalChart), ("memory-replays", replayChart), ("memory-balance", balanceChart),
    ].compactMap { name, chart in chart.map { (name, $0) } }
  }
}
