import Foundation
import OnePass
import OnePassCore

/// What is on disk of one finished run.
package struct RunRecord: Sendable {
  /// The name of its folder.
  package let name: String
  package let path: String
  package let result: RunResult
  /// Empty where there is none.
  package let curve: [CurvePoint]

  /// Reads the folder of a run.
  /// - Throws: `OnePassError`: `io` if there is no result, `badData` if a file is damaged or a figure impossible.
  init(reading path: String) throws {
    self.path = path
    name = URL(fileURLWithPath: path).lastPathComponent
    result = try RunFiles.result(in: path)
    try Self.check(result, path)
    let curveFile = "\(path)/curve.csv"
    if FileManager.default.fileExists(atPath: curveFile) {
      let data: Data
      do { data = try Data(contentsOf: URL(fileURLWithPath: curveFile)) } catch {
        throw OnePassError(.io, "\(curveFile) cannot be read.", cause: error)
      }
      curve = try CurvePoint.curve(csv: String(decoding: data, as: UTF8.self), path: curveFile)
    } else {
      curve = []
    }
  }

  /// Figures that no run can have would spoil every mean in silence.
  private static func check(_ result: RunResult, _ path: String) throws {
    func require(_ condition: Bool, _ what: String) throws {
      if !condition { throw OnePassError(.badData, "\(path)/result.json is damaged: \(what).") }
    }
    func require(_ count: Int, _ what: String, from least: Int = 0) throws {
      try require((least...1_000_000_000_000_000).contains(count), "\(what) of \(count) is not possible")
    }
    if let accuracy = result.accuracy {
      try require((0...1).contains(accuracy.top1), "an accuracy of \(accuracy.top1) is not a share")
      try require(accuracy.loss.isFinite, "its loss is not a number")
    }
    let storage = result.storage
    // A shuffle buffer counts beside the memory, and each may have held all of a stream that ended early.
    let mostStorage = result.configuration.data.shuffleBuffer == nil ? 1.0 : 2
    try require(
      (0...mostStorage).contains(storage.exampleFraction), "its storage is not a share of the stream")
    try require((0...1e6).contains(storage.byteFraction), "its storage in bytes is not a share of the stream")
    try require((1e-12...1e6).contains(result.compute.fraction), "its compute is not a positive number")
    try require((0...1e12).contains(result.throughput.imagesPerSecond), "its rate is not possible")
    try require(
      (0...1e12).contains(result.throughput.imageWaitSeconds ?? 0), "its time of waiting is not possible")
    try require((0...1e12).contains(result.wallSeconds), "its duration is not possible")
    try require(result.stream.examples, "a stream", from: 1)
    try require(result.plan.streamExamples, "a stream", from: 1)
    try require(result.compute.examples, "a training", from: 1)
    try require(result.compute.updates, "a number of updates")
    try require(
      (1...1_000_000).contains(result.plan.classes), "\(result.plan.classes) classes are not possible")
    try require((0...10_000).contains(result.configuration.replay.steps), "its replay steps are not possible")
    try require((1...1 << 20).contains(result.configuration.epochs), "its passes are not possible")
    if let contents = result.memoryContents {
      try require(contents.items, "a memory")
      try require(contents.imageBytes, "a memory")
      for count in contents.arrivals + contents.replays.counts + Array(contents.itemsPerClass.values) {
        try require(count, "a count")
      }
      try require(
        contents.arrivals.count <= 1_000 && contents.replays.counts.count <= 65, "its memory is not possible")
    }
  }
}

/// The records that were found in a place, and what could not be read.
package struct RecordSet: Sendable {
  /// A record that is left out.
  package struct Problem: Sendable {
    package let path: String
    package let reason: String
  }

  package private(set) var records: [RunRecord] = []
  package private(set) var problems: [Problem] = []

  /// Reads the folders of runs in each folder; a folder may also be that of a single run.
  ///
  /// A damaged record is left out and listed, and so is the second of two with the same options and seed.
  /// - Throws: `OnePassError` (`io`) if a folder does not exist, or there is no record at all.
  package init(reading folders: [String]) throws {
    var known: [RunConfiguration: String] = [:]
    // A folder that is given twice is read once.
    var seen: Set<String> = []
    let paths = try folders.flatMap(Self.candidates).filter {
      seen.insert(URL(fileURLWithPath: $0).standardizedFileURL.path).inserted
    }
    for path in paths {
      do {
        let record = try RunRecord(reading: path)
        if let first = known[Variant.key(of: record, withSeed: true)] {
          throw OnePassError(.badData, "it has the options and the seed of \(first).")
        }
        known[Variant.key(of: record, withSeed: true)] = path
        records.append(record)
      } catch {
        problems.append(Problem(path: path, reason: "\(error)"))
      }
    }
    guard !records.isEmpty else {
      let first = problems.first.map { " \(problems.count) cannot be read; the first: \($0.reason)" } ?? ""
      throw OnePassError(
        .io,
        "There are no records in \(folders.joined(separator: ", ")): give a folder that "
          + "`onepass experiment run --output` made.\(first)")
    }
  }

  private static func candidates(in folder: String) throws -> [String] {
    let files = FileManager.default
    if files.fileExists(atPath: "\(folder)/result.json") { return [folder] }
    guard let names = try? files.contentsOfDirectory(atPath: folder) else {
      throw OnePassError(
        .io,
        "There are no records in \(folder), because it cannot be read: give a folder that "
          + "`onepass experiment run --output` made.")
    }
    return names.filter { !$0.hasPrefix(".") && files.fileExists(atPath: "\(folder)/\($0)/result.json") }
      .sorted().map { "\(folder)/\($0)" }
  }
}
