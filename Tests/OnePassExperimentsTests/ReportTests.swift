import Foundation
import OnePass
import OnePassCore
import TestSupport
import Testing

@testable import OnePassExperiments

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("The report") struct ReportTests {
  func report(_ write: (TemporaryFolder) throws -> Void) throws -> Report {
    let folder = try TemporaryFolder()
    try write(folder)
    return Report(try RecordSet(reading: [folder.path]))
  }

  @Test("The page loads nothing from outside")
  func thePageNeedsNothingFromOutside() throws {
    let html = try report { try SampleRuns.writeTables(to: $0) }.html
    for part in ["<script", "src=", "href=\"http", "url(", "@import", "<link"] {
      #expect(!html.contains(part), "\(part)")
    }
    for heading in [
      "Table 1", "Table 2", "Pareto front", "Learning curves", "Memory contents", "All runs",
    ] {
      #expect(html.contains(heading), "\(heading)")
    }
    #expect(html.contains("prefers-color-scheme:dark") && html.contains("@media print"))
    #expect(!html.contains("nan") && !html.contains("inf\""))
  }

  @Test("Every chart is well-formed")
  func everyChartIsWellFormed() throws {
    let folder = try TemporaryFolder()
    let names = try report { try SampleRuns.writeTables(to: $0) }.writeCharts(in: folder.path)
    #expect(names.count == 11)
    for name in names {
      let parser = XMLParser(data: Data(try folder.bytes(of: name)))
      #expect(parser.parse(), "\(name): \(String(describing: parser.parserError))")
      let text = String(decoding: try folder.bytes(of: name), as: UTF8.self)
      #expect(!text.contains("nan") && !text.contains("=\"-inf") && text.contains("<style>"))
    }
  }

  /// Another recipe, the paper's method at 1 and at 10 %, and multi-epoch training.
  @Test("Other methods are drawn beside the paper's")
  func methodsAreDrawnBesideThePapers() throws {
    let folder = try TemporaryFolder()
    try SampleRuns.writeTables(to: folder)
    try SampleRuns.writeMuon(to: folder)
    let settings = Setting.settings(of: try RecordSet(reading: [folder.path]).records)
    let chart = try #require(settings[1].methodsChart)
    #expect(
      chart.series.map(\.name) == [
        "uniform replay, Muon", "prioritised replay", "9 passes, Muon", "9 passes",
      ])
    #expect(chart.series.map(\.points.count) == [1, 2, 1, 1])
    #expect(abs(chart.series[0].points[0].y - 48.2) < 1e-9 && abs(chart.series[3].points[0].y - 60) < 1e-9)
    // Without another method there is no chart.
    let plain = try TemporaryFolder()
    try SampleRuns.write(
      SampleRuns.result(seed: 1, top1: 0.5) { $0.memory.storage = .fraction(0.1) }, to: plain, "a")
    #expect(Setting.settings(of: try RecordSet(reading: [plain.path]).records)[0].methodsChart == nil)
  }

  /// The position of a value on a logarithmic axis and on a linear one.
  @Test("Axes place values correctly")
  func axesPlaceValues() {
    let axis = Axis.logarithmic("x", [1, 100])
    #expect(abs(axis.position(10) - 0.5) < 1e-9)
    #expect(axis.ticks.map(\.label) == ["1", "2", "5", "10", "20", "50", "100"])
    let linear = Axis.linear("y", [41.2, 55.1])
    #expect(linear.ticks.map(\.label) == ["40", "45", "50", "55", "60"])
    #expect(linear.position(50) == 0.5 && linear.range == 40...60)
    #expect(
      Axis.linear("y", [0.12, 0.38], includingZero: true).ticks.map(\.label) == [
        "0.0", "0.1", "0.2", "0.3", "0.4",
      ])
    #expect(Axis.linear("y", []).ticks.count > 1 && Axis.linear("y", [3, 3]).position(3) == 0.5)
  }

  @Test("Names from outside are escaped")
  func namesFromOutsideAreEscaped() throws {
    let hostile = "folder:<img src=x onerror=alert(1)>&\"'"
    let html = try report { folder in
      try SampleRuns.write(
        SampleRuns.result(seed: 1, top1: 0.5) { $0.data.source = hostile }, to: folder, "a<b>")
    }.html
    #expect(!html.contains("<img") && html.contains("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;"))
    #expect(!html.contains("a<b>"))
  }

  @Test("The page of a hundred runs has at most three megabytes")
  func aHundredRunsFitInThreeMegabytes() throws {
    let html = try report { folder in
      for seed in 1...5 as ClosedRange<UInt64> {
        for k in 1...20 {
          try SampleRuns.write(
            SampleRuns.result(seed: seed, top1: 0.5 + 0.001 * Double(k)) { $0.replay.steps = k }, to: folder,
            "k\(k)-\(seed)")
        }
      }
    }.html
    #expect(html.utf8.count < 3_000_000)
  }

  /// Curves are means over examples, not over points.
  @Test("Curves are means over all seeds")
  func curvesAreMeansOverAllSeeds() throws {
    let folder = try TemporaryFolder()
    try SampleRuns.writeTables(to: folder)
    let setting = try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first)
    let course = try #require(setting.naive).course
    #expect(course.count == 20 && abs(course[0].end - 0.05) < 1e-9)
    #expect(abs((course[4].accuracy ?? 0) - 0.15) < 1e-9 && course[4].loss == 2)
    // 100 images in a second, in each of the three runs.
    #expect(course[4].rate == 100)
  }

  /// The means over three seeds at the middle and at the end of the stream.
  @Test("The accuracy along the stream is drawn if the curves have it")
  func accuracyAlongTheStreamIsDrawn() throws {
    let folder = try TemporaryFolder()
    try SampleRuns.writeTables(to: folder)
    func chart() throws -> Chart? {
      try Setting.settings(of: RecordSet(reading: [folder.path]).records).first?.evaluationChart
    }
    #expect(try chart() == nil)
    for (seed, end) in [(1, 0.25), (2, 0.5), (3, 0.75)] {
      let name = "naive-seed\(seed)/curve.csv"
      let lines = String(decoding: try folder.bytes(of: name), as: UTF8.self).split(separator: "\n")
      let values = lines.indices.map {
        $0 == 0 ? "evaluation_top1" : $0 == 10 ? "0.125" : $0 == 20 ? "\(end)" : ""
      }
      try folder.write(Array(zip(lines, values).map { "\($0),\($1)" }.joined(separator: "\n").utf8), to: name)
    }
    let series = try #require(try chart()).series
    #expect(series.count == 1 && series[0].name == "naive")
    #expect(series[0].points.map(\.x) == [50, 100] && series[0].points.map(\.y) == [12.5, 50])
  }

  /// No row of a legend is wider than the chart, and no word of a name is missing.
  @Test("Long names are wrapped")
  func longNamesAreWrapped() {
    let name =
      "prioritised replay, window, rand 0.3, Muon, constant learning rate, weights averaged by 0.9999"
    let rows = Chart.rows(of: name)
    #expect(rows.count == 2 && rows.joined(separator: " ") == name)
    #expect(rows.allSatisfy { 22 + Double($0.count) * 6.4 + 12 <= 480 - 48 }, "\(rows)")
    #expect(Chart.rows(of: "naive") == ["naive"])
  }
}
