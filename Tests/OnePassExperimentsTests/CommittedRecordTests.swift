import Foundation
import OnePass
import Testing

@testable import OnePassExperiments

/// Every version reads the published records, and gives them the titles of the published tables.
@Suite("Committed records") struct CommittedRecordTests {
  static let results = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../results").standardizedFileURL

  /// The records in a folder of `results`.
  static func results(in folder: String) throws -> [RunResult] {
    let files = try #require(
      FileManager.default.enumerator(at: results.appending(path: folder), includingPropertiesForKeys: nil))
    return try files.compactMap { $0 as? URL }.filter { $0.lastPathComponent == "result.json" }.map {
      try JSONDecoder().decode(RunResult.self, from: Data(contentsOf: $0))
    }
  }

  @Test(
    "Records have the titles of the committed tables", arguments: [("cifar10", 84), ("fashion-mnist", 9)])
  func titlesAreThoseOfTheTables(folder: String, count: Int) throws {
    let titles = try Self.results(in: folder).map(\.configuration.essence.title)
    #expect(titles.count == count)
    let tables = try JSONSerialization.jsonObject(
      with: Data(contentsOf: Self.results.appending(path: "\(folder)/tables.json")))
    #expect(Set(titles) == Self.variants(in: tables))
  }

  @Test(
    "Records have the titles of the committed report",
    arguments: [("final", 138), ("choosing", 57), ("fashion-mnist", 40)])
  func titlesAreThoseOfTheReport(folder: String, count: Int) throws {
    let titles = try Self.results(in: "beyond-the-paper/\(folder)").map(\.configuration.essence.title)
    #expect(titles.count == count)
    let report = try String(
      contentsOf: Self.results.appending(path: "beyond-the-paper/\(folder)/report.html"), encoding: .utf8)
    for title in Set(titles) { #expect(report.contains(">\(title)<"), "\(title)") }
  }

  /// These were written before most options existed.
  @Test("The records of the agreement test are read")
  func theRecordsOfTheAgreementAreRead() throws {
    let folder = Self.results.appending(path: "records/agreement")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
      $0.hasSuffix(".json")
    }
    #expect(names.count == 15)
    for name in names {
      let result = try JSONDecoder().decode(
        RunResult.self, from: Data(contentsOf: folder.appending(path: name)))
      #expect(result.configuration.recipe.optimiser == .sgd && result.configuration.memory.keepPictures == 0)
      try result.configuration.validate()
    }
  }

  /// Every `variant` in a table, at any depth.
  private static func variants(in json: Any) -> Set<String> {
    switch json {
    case let object as [String: Any]:
      Set([object["variant"] as? String].compactMap(\.self)).union(object.values.flatMap(variants))
    case let list as [Any]: Set(list.flatMap(variants))
    default: []
    }
  }
}
