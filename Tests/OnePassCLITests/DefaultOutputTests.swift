import Foundation
import OnePass
import OnePassCore
import TestSupport
import Testing

@testable import OnePassCLI

@Suite("The output folder of a run without --output") struct DefaultOutputTests {
  /// Noon of 30 November 2026 in the time zone of the machine.
  static let date =
    DateComponents(calendar: Calendar(identifier: .gregorian), year: 2026, month: 11, day: 30, hour: 12)
    .date ?? .distantPast

  func output(_ data: String, _ method: OnePass.Method = .replay, in folder: String) throws -> DefaultOutput {
    var run = RunConfiguration(data: data)
    run.method = method
    return try DefaultOutput(for: run, in: folder, on: Self.date)
  }

  @Test(
    "The folder is named after the date, the data and the method",
    arguments: [
      ("fashion-mnist", Method.replay, "fashion-mnist-replay"),
      ("fashion-mnist:test", .replay, "fashion-mnist-replay"),
      ("folder:photos/train", .naive, "photos-naive"),
      ("folder:/data/Summer Photos", .multiEpoch, "summer-photos-multi-epoch"),
      ("wds:shards/train-{0000..0009}.tar", .replay, "wds-replay"), ("wds:-", .replay, "wds-replay"),
      ("wds:https://example.org/birds/a.tar?key=s3cret", .replay, "a-replay"),
      ("zip:photos.zip", .replay, "photos-replay"), ("synthetic:100:8:2", .naive, "synthetic-naive"),
    ])
  func theNameSaysWhatTheRunIs(data: String, method: OnePass.Method, name: String) throws {
    let folder = try TemporaryFolder()
    #expect(try output(data, method, in: folder.file("runs")).path == folder.file("runs/2026-11-30-\(name)"))
  }

  @Test("A taken name gets a number, and empty folders are removed")
  func aTakenNameGetsANumber() throws {
    let folder = try TemporaryFolder()
    let made = try (0..<3).map { _ in try output("fashion-mnist", in: folder.file("runs")) }
    #expect(
      made.map(\.path)
        == ["", "-2", "-3"].map { folder.file("runs/2026-11-30-fashion-mnist-replay\($0)") })
    try folder.write([1], to: "runs/2026-11-30-fashion-mnist-replay-2/result.json")
    for output in made { output.removeIfEmpty() }
    #expect(folder.exists("runs/2026-11-30-fashion-mnist-replay-2/result.json"))
    #expect(!folder.exists("runs/2026-11-30-fashion-mnist-replay"))
    try FileManager.default.removeItem(atPath: made[1].path)
    made[2].removeIfEmpty()
    #expect(folder.contents.isEmpty)
  }

  @Test("A folder that cannot be made is named, with the remedy")
  func anImpossibleFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write([1], to: "runs")
    #expect {
      try output("fashion-mnist", in: folder.file("runs"))
    } throws: {
      ($0 as? OnePassError)?.code == .io && "\($0)".hasSuffix("or --output none.")
    }
  }
}
