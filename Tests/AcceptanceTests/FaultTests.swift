import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

/// Full disks, I/O errors and power cuts cause no crash and no silent loss, and the run can be resumed afterwards.
///
/// Each test tries a few faults; `make soak` tries a fault at every call (`ONEPASS_SOAK`).
@Suite("A run survives full disks, I/O errors and power cuts", .waitsForPrograms) struct FaultTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  static let isSoak = ProcessInfo.processInfo.environment["ONEPASS_SOAK"] != nil

  init() throws {
    runs = try RunFixture(
      StripedImages(count: 64, side: 20),
      options: small + [
        "--decode-threads", "1", "--replay-steps", "1", "--storage", "20", "--checkpoint-every", "1",
        "--resume",
      ])
  }

  /// The place of the images of the memory.
  enum Place: String, CaseIterable { case ram, disk }

  /// The arguments of a run in `name/run`, with its memory in `name/memory` or in RAM.
  func arguments(_ place: Place, _ name: String) -> [String] {
    runs.arguments(
      "\(name)/run", place == .disk ? ["--memory-directory", folder.file("\(name)/memory")] : [])
  }

  /// The files that must be equal.
  func outcome(_ name: String) throws -> [[UInt8]] {
    try [
      "checkpoint/model.safetensors", "checkpoint/optimiser.safetensors", "checkpoint/memory.csv", "ledger",
    ].map { try folder.bytes(of: "\(name)/run/\($0)") }
  }

  private static let uninterrupted = Shared<Place, [[UInt8]]>()

  /// The files of the uninterrupted run, which is trained once for all tests.
  func uninterrupted(_ place: Place) throws -> [[UInt8]] {
    try Self.uninterrupted.value(for: place) {
      try FileManager.default.createDirectory(
        atPath: folder.file("whole"), withIntermediateDirectories: true)
      let outcome = try onepass.run(arguments(place, "whole"))
      #expect(outcome.status == 0, "\(outcome.errors)")
      return try self.outcome("whole")
    }
  }

  func remove(_ name: String) throws {
    if folder.exists(name) { try FileManager.default.removeItem(atPath: folder.file(name)) }
  }

  /// The number of writing calls and of reads of an uninterrupted run.
  func count(_ disk: FaultyDisk, _ place: Place) throws -> (changes: Int, reads: Int) {
    try remove("broken")
    let report = folder.file("report")
    let counted = try onepass.run(
      arguments(place, "broken"), environment: disk.environment("count", report: report))
    #expect(counted.status == 0, "\(counted.errors)")
    let numbers = String(decoding: try folder.bytes(of: "report"), as: UTF8.self)
      .split { !$0.isNumber }.compactMap { Int($0) }
    return (try #require(numbers.first), try #require(numbers.last))
  }

  /// The calls, out of `count`, that fail.
  func chosen(_ count: Int, few: Int) -> [Int] {
    if Self.isSoak { return Array(1...count) }
    return (0..<few).map { 1 + ($0 * 2 + 1) * count / (2 * few) }
  }

  func check(_ place: Place, _ plans: (_ changes: Int, _ reads: Int) -> [String]) throws {
    let disk = try FaultyDisk(in: folder, roots: [folder.file("broken")])
    let whole = try uninterrupted(place)
    let (changes, reads) = try count(disk, place)
    #expect(changes > 100 && reads > 10)
    #expect(try outcome("broken") == whole)
    for plan in plans(changes, reads) {
      try remove("broken")
      let broken = try onepass.run(arguments(place, "broken"), environment: disk.environment(plan))
      // The run survived the fault, or ended with an error message, or lost power.
      let isCut = plan.hasPrefix("cut")
      #expect(
        [0, 74].contains(broken.status) || (isCut && broken.status == 128 + SIGKILL)
          || (plan.hasPrefix("fail-read") && [64, 65].contains(broken.status)),
        "\(plan): status \(broken.status), \(broken.errors)")
      // A notice that the run continues without logs can precede the message.
      let isSaid = broken.errors.split(separator: "\n").last?.hasPrefix("Error: ") ?? false
      #expect(broken.status == 0 || isCut || isSaid, "\(plan): \(broken.errors)")
      let resumed = try onepass.run(arguments(place, "broken"))
      #expect(resumed.status == 0, "\(plan): \(broken.errors)\(resumed.errors)")
      #expect(try resumed.status == 0 && outcome("broken") == whole, "\(plan): another result")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder.file("broken"))
      #expect(Set(left) == (place == .disk ? ["run", "memory"] : ["run"]), "\(plan) leaves \(left)")
      #expect(!folder.exists("broken/run/unfinished"), "\(plan)")
    }
  }

  /// The folder of the memory or of the run disappears while the run trains, and is restored.
  @Test("A run whose folder disappears stops, and resumes when it is back", arguments: ["memory", "run"])
  func aFolderDisappears(name: String) throws {
    let running = try RunningProgram(onepass, arguments(.disk, "broken"))
    #expect(running.wait { folder.exists("broken/run/unfinished/step-00000001") })
    try FileManager.default.moveItem(atPath: folder.file("broken/\(name)"), toPath: folder.file("away"))
    #expect(running.wait() == 74 && running.errors.contains("has vanished"), "\(running.errors)")
    try remove("broken/\(name)")
    try FileManager.default.moveItem(atPath: folder.file("away"), toPath: folder.file("broken/\(name)"))
    let resumed = try onepass.run(arguments(.disk, "broken"))
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try outcome("broken") == uninterrupted(.disk))
  }

  @Test(
    "A run resumes exactly after a power cut", .enabled(if: FaultyDisk.isAvailable, "\(FaultyDisk.reason)"),
    arguments: Place.allCases)
  func powerCuts(place: Place) throws {
    try check(place) { changes, _ in chosen(changes, few: 8).map { "cut:\($0):\($0 * 31 + 7)" } }
  }

  @Test(
    "A run resumes exactly after a full disk", .enabled(if: FaultyDisk.isAvailable, "\(FaultyDisk.reason)"),
    arguments: Place.allCases)
  func fullDisks(place: Place) throws {
    try check(place) { changes, _ in
      chosen(changes, few: 5).map { "fail-write:\($0):ENOSPC:on" }
        + chosen(changes, few: 4).map { "fail-write:\($0):ENOSPC" }
    }
  }

  @Test(
    "A run resumes exactly after an I/O error", .enabled(if: FaultyDisk.isAvailable, "\(FaultyDisk.reason)"),
    arguments: Place.allCases)
  func brokenDisks(place: Place) throws {
    try check(place) { changes, reads in
      chosen(changes, few: 5).map { "fail-write:\($0):EIO" }
        + chosen(reads, few: 5).map { "fail-read:\($0):EIO" }
        // While the memory directory is created.
        + ["fail-read:5:EIO"]
    }
  }
}
