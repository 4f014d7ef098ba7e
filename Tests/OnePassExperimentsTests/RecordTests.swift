import Foundation
import OnePass
import OnePassCore
import TestSupport
import Testing

@testable import OnePassExperiments

@Suite("Records of runs") struct RecordTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test("Records are read with their curves")
  func recordsAreReadWithTheirCurves() throws {
    try SampleRuns.writeTables(to: folder, seeds: 1...2)
    let set = try RecordSet(reading: [folder.path])
    #expect(set.records.count == 12 && set.problems.isEmpty)
    let record = try #require(set.records.first { $0.name == "replay-k8-seed2" })
    #expect(record.result.configuration.replay.steps == 8 && record.curve.count == 20)
    #expect(record.curve[3].examplesSeen == 200 && record.curve[3].accuracy == 0.14)
    // A folder can also be that of one run.
    #expect(try RecordSet(reading: [record.path]).records.count == 1)
  }

  /// Records of older programs, and of builds without a repository, have no commit.
  @Test("Records name their commit where it is known")
  func recordsNameTheirCommit() throws {
    let commit = "3f2a91c07be4" + String(repeating: "0", count: 28)
    for (name, commit, dirty, text) in [
      ("old", nil, nil, "0.1.0"), ("clean", commit, false, "0.1.0 (3f2a91c07be4)"),
      ("changed", commit, true, "0.1.0 (3f2a91c07be4, modified)"),
    ] {
      var result = try SampleRuns.result(seed: 1, top1: 0.5)
      (result.commit, result.dirty) = (commit, dirty)
      try SampleRuns.write(result, to: folder, name)
      let written = String(decoding: try folder.bytes(of: "\(name)/result.json"), as: UTF8.self)
      #expect(written.contains("\"commit\"") == (commit != nil))
      let read = try #require(try RecordSet(reading: [folder.file(name)]).records.first).result
      #expect(read.commit == commit && read.dirty == dirty && read.versionText == text)
    }
  }

  /// Additional columns are ignored, the order is arbitrary, and older curves have fewer columns.
  @Test("Curves are read by the names of their columns")
  func curvesAreReadByTheNamesOfTheirColumns() throws {
    let text = "seconds,extra,loss,memory_bytes,examples_trained,examples_seen\n1.5,x,2,30,20,10\n"
    let points = try CurvePoint.curve(csv: text, path: "curve.csv")
    #expect(
      points == [
        CurvePoint(
          examplesSeen: 10, examplesTrained: 20, loss: 2, accuracy: nil, memoryBytes: 30, seconds: 1.5)
      ])
    let evaluated = try CurvePoint.curve(
      csv:
        "seconds,loss,memory_bytes,examples_trained,examples_seen,evaluation_top1\n1,2,0,9,9,\n2,2,0,9,9,0.25\n",
      path: "curve.csv")
    #expect(evaluated.map(\.evaluated) == [nil, 0.25])
  }

  @Test("Damaged records are named and left out")
  func damagedRecordsAreNamedAndSkipped() throws {
    try SampleRuns.write(SampleRuns.result(seed: 1, top1: 0.5), to: folder, "good")
    try SampleRuns.write(SampleRuns.result(seed: 2, top1: 0.5), to: folder, "truncated")
    let whole = try folder.bytes(of: "truncated/result.json")
    try folder.write(Array(whole.prefix(whole.count / 2)), to: "truncated/result.json")
    try SampleRuns.write(SampleRuns.result(seed: 3, top1: 7), to: folder, "impossible")
    try SampleRuns.write(SampleRuns.result(seed: 4, top1: 0.5), to: folder, "curve")
    try folder.write(Array("examples_seen,loss\n10,x\n".utf8), to: "curve/curve.csv")
    try SampleRuns.write(SampleRuns.result(seed: 1, top1: 0.6), to: folder, "repeated")
    try folder.write([], to: "unrelated/notes.txt")

    let set = try RecordSet(reading: [folder.path])
    #expect(set.records.map(\.name) == ["good"])
    let reasons = Dictionary(
      uniqueKeysWithValues: set.problems.map { (URL(fileURLWithPath: $0.path).lastPathComponent, $0.reason) })
    #expect(reasons.count == 4)
    #expect(reasons["truncated"]?.contains("truncated/result.json is damaged") == true)
    #expect(reasons["impossible"]?.contains("accuracy.top1 cannot be 7.0") == true)
    #expect(reasons["curve"]?.contains("curve.csv: line 2 is damaged") == true)
    #expect(reasons["repeated"]?.contains("same options and seed as") == true)
    #expect(Report(set).html.contains("4 damaged or repeated records were skipped"))
  }

  /// Impossible figures would distort means, or crash the charts.
  @Test(
    "Impossible figures are refused",
    arguments: [
      ("result", "\"wallSeconds\" : 60", "\"wallSeconds\" : 1e300"),
      ("result", "\"imagesPerSecond\" : 500", "\"imagesPerSecond\" : 1e300"),
      ("result", "\"replaySteps\" : 8", "\"replaySteps\" : 9223372036854775807"),
      ("result", "\"classes\" : 10", "\"classes\" : 0"),
      ("result", "\"updates\" : 64", "\"updates\" : -9223372036854775808"),
      ("result", "\"imageBytes\" : 10000", "\"imageBytes\" : -1"),
      ("curve", ",2.0,", ",inf,"), ("curve", ",2.0,", ",nan,"), ("curve", ",0.15,", ",7,"),
    ])
  func impossibleFiguresAreRefused(file: String, text: String, damage: String) throws {
    try SampleRuns.write(SampleRuns.result(seed: 1, top1: 0.5), to: folder, "good")
    try SampleRuns.write(SampleRuns.result(seed: 2, top1: 0.5), to: folder, "bad")
    let name = file == "curve" ? "bad/curve.csv" : "bad/result.json"
    let whole = String(decoding: try folder.bytes(of: name), as: UTF8.self)
    #expect(whole.contains(text), "\(whole)")
    try folder.write(Array(whole.replacing(text, with: damage).utf8), to: name)
    let set = try RecordSet(reading: [folder.path])
    #expect(set.records.map(\.name) == ["good"] && set.problems.count == 1)
    #expect(!Report(set).html.isEmpty)
  }

  @Test("A folder that is passed twice is read once")
  func aRepeatedFolderIsReadOnce() throws {
    try SampleRuns.write(SampleRuns.result(seed: 1, top1: 0.5), to: folder, "good")
    let set = try RecordSet(reading: [folder.path, folder.path + "/", folder.file("good")])
    #expect(set.records.count == 1 && set.problems.isEmpty)
  }

  @Test("A folder without records is an error")
  func aFolderWithoutRecordsIsAnError() throws {
    try folder.write([], to: "unrelated/notes.txt")
    #expect { try RecordSet(reading: [folder.path]) } throws: {
      ($0 as? OnePassError)?.code == .io && "\($0)".hasPrefix("\(folder.path): no finished runs found")
    }
    #expect { try RecordSet(reading: [folder.file("nowhere")]) } throws: {
      "\($0)".contains("the folder cannot be read")
    }
  }
}
