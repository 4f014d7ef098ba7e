import Foundation
import OnePass
import OnePassCore

/// The files of one finished run: its result and its curve.
package struct RunRecord: Sendable {
  /// The name of the folder.
  package let name: String
  /// The path of the folder.
  package let path: String
  /// The contents of `result.json`.
  package let result: RunResult
  /// The rows of `curve.csv`; empty if there is no such file.
  package let curve: [CurvePoint]

  /// Reads the folder of a run.
  /// - Throws: `OnePassError`: `io` for a missing result, `badData` for a damaged file or an impossible figure.
  init(reading path: String) throws {
    self.path = path
    name = URL(fileURLWithPath: path).lastPathComponent
    result = try RunFiles.result(in: path)
    try Self.check(result, path)
    let curveFile = "\(path)/curve.csv"
    if FileManager.default.fileExists(atPath: curveFile) {
      let data: Data
      do { data = try Data(contentsOf: URL(fileURLWithPath: curveFile)) } catch {
        throw OnePassError.unreadableCurve(curveFile, cause: error)
      }
      curve = try CurvePoint.curve(csv: String(decoding: data, as: UTF8.self), path: curveFile)
    } else {
      curve = []
    }
  }

  /// Rejects figures that no run can have: they would distort the means without notice.
  private static func check(_ result: RunResult, _ path: String) throws {
    func require(_ isPossible: Bool, _ field: String, _ value: any CustomStringConvertible) throws {
      if !isPossible { throw OnePassError.impossibleFigure(field, "\(value)", in: path) }
    }
    func require(_ count: Int, _ field: String, from least: Int = 0, to most: Int = 1_000_000_000_000_000)
      throws
    {
      try require((least...most).contains(count), field, count)
    }
    func require(_ value: Double, _ field: String, in range: ClosedRange<Double>) throws {
      try require(range.contains(value), field, value)
    }
    if let accuracy = result.accuracy {
      try require(accuracy.top1, "accuracy.top1", in: 0...1)
      try require(accuracy.loss.isFinite, "accuracy.loss", accuracy.loss)
    }
    let storage = result.storage
    // A shuffle buffer counts in addition to the memory, and each may have held a whole stream that ended early.
    let mostStorage = result.configuration.data.shuffleBuffer == nil ? 1.0 : 2
    try require(storage.exampleFraction, "storage.exampleFraction", in: 0...mostStorage)
    try require(storage.byteFraction, "storage.byteFraction", in: 0...1e6)
    try require(result.compute.fraction, "compute.fraction", in: 1e-12...1e6)
    try require(result.throughput.imagesPerSecond, "throughput.imagesPerSecond", in: 0...1e12)
    try require(result.throughput.imageWaitSeconds ?? 0, "throughput.imageWaitSeconds", in: 0...1e12)
    try require(result.wallSeconds, "wallSeconds", in: 0...1e12)
    try require(result.stream.examples, "stream.examples", from: 1)
    try require(result.plan.streamExamples, "plan.streamExamples", from: 1)
    try require(result.compute.examples, "compute.examples", from: 1)
    try require(result.compute.updates, "compute.updates")
    try require(result.plan.classes, "plan.classes", from: 1, to: 1_000_000)
    try require(result.configuration.replay.steps, "configuration.replaySteps", to: 10_000)
    try require(result.configuration.epochs, "configuration.epochs", from: 1, to: 1 << 20)
    if let contents = result.memoryContents {
      try require(contents.items, "memoryContents.items")
      try require(contents.imageBytes, "memoryContents.imageBytes")
      for count in contents.arrivals { try require(count, "memoryContents.arrivals") }
      for count in contents.replays.counts { try require(count, "memoryContents.replays.counts") }
      for count in contents.itemsPerClass.values { try require(count, "memoryContents.itemsPerClass") }
      try require(
        contents.arrivals.count <= 1_000, "memoryContents.arrivals", "a list of more than 1000 values")
      try require(
        contents.replays.counts.count <= 65, "memoryContents.replays.counts", "a list of more than 65 values")
    }
  }
}

/// The records in some folders, and the problems with others.
package struct RecordSet: Sendable {
  /// A record that was skipped.
  package struct Problem: Sendable {
    /// The folder of the run.
    package let path: String
    /// The error message.
    package let reason: String
  }

  /// The valid records, in the order of their folders.
  package private(set) var records: [RunRecord] = []
  /// The skipped records.
  package private(set) var problems: [Problem] = []

  /// Reads the runs in each folder; a folder can also be that of a single run.
  ///
  /// Damaged records are skipped and listed in ``problems``. So is the second of two runs with the same options and seed.
  /// - Throws: `OnePassError` (`io`) for a missing folder, and if there is no valid record.
  package init(reading folders: [String]) throws {
    var known: [RunConfiguration: String] = [:]
    // A folder that is passed twice is read once.
    var seen: Set<String> = []
    let paths = try folders.flatMap(Self.candidates).filter {
      seen.insert(URL(fileURLWithPath: $0).standardizedFileURL.path).inserted
    }
    for path in paths {
      do {
        let record = try RunRecord(reading: path)
        if let first = known[Variant.key(of: record, withSeed: true)] {
          throw OnePassError.duplicateRecord(of: first)
        }
        known[Variant.key(of: record, withSeed: true)] = path
        records.append(record)
      } catch {
        problems.append(Problem(path: path, reason: "\(error)"))
      }
    }
    guard !records.isEmpty else {
      throw OnePassError.noRecords(
        in: folders, unreadable: problems.count, firstReason: problems.first?.reason)
    }
  }

  private static func candidates(in folder: String) throws -> [String] {
    let files = FileManager.default
    if files.fileExists(atPath: "\(folder)/result.json") { return [folder] }
    guard let names = try? files.contentsOfDirectory(atPath: folder) else {
      throw OnePassError.unreadableRecordFolder(folder)
    }
    return names.filter { !$0.hasPrefix(".") && files.fileExists(atPath: "\(folder)/\($0)/result.json") }
      .sorted().map { "\(folder)/\($0)" }
  }
}
