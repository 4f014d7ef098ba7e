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
    if let accuracy = result.accuracy {
      try require((0...1).contains(accuracy.top1), "an accuracy of \(accuracy.top1) is not a share")
    }
    try require((0...1).contains(result.storage.exampleFraction), "its storage is not a share of the stream")
    try require(result.stream.examples > 0 && result.compute.examples > 0, "it trained on nothing")
    try require(
      result.compute.fraction > 0 && result.compute.fraction.isFinite, "its compute is not a positive number")
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
    for path in try folders.flatMap(Self.candidates) {
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
