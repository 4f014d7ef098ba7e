import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePass
@testable import OnePassData

@Suite("A run is verified against its ledger, and forgets examples on request", .waitsForPrograms)
struct ForgettingTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  static let people = 8
  static let count = 160

  /// Images of noise, so that bytes from the middle of a file are unique. Example i is about person i mod 8.
  init() throws {
    let folder = try TemporaryFolder()
    for index in 0..<Self.count {
      try folder.write(
        try Self.file(index),
        to: "photos/\(["cat", "dog"][index / 8 % 2])/person-\(index % Self.people)/\(index).png")
    }
    runs = RunFixture(
      folder, data: "folder:\(folder.file("photos"))",
      options: [
        "--model", "resnet8", "--batch-size", "8", "--replay-steps", "1", "--storage", "40%", "--threads",
        "1",
        "--subject-key", "folder", "--progress", "json",
      ])
  }

  static func file(_ index: Int) throws -> [UInt8] {
    var chance = SeededGenerator(seed: 3, .test, index)
    return try encodePNG(
      (0..<256).map { _ in UInt8(chance.next(below: 256)) }, width: 16, height: 16, channels: 1)
  }

  /// The number of images of a person in the files of the run and of its memory.
  func traces(of person: Int) throws -> Int {
    var files: [Data] = []
    for name in ["run", "run-memory"] {
      for path in (try? FileManager.default.subpathsOfDirectory(atPath: folder.file(name))) ?? [] {
        if let data = FileManager.default.contents(atPath: folder.file("\(name)/\(path)")) {
          files.append(data)
        }
      }
    }
    return try stride(from: person, to: Self.count, by: Self.people).filter { index in
      let trace = Data(try Self.file(index)[80..<104])
      return files.contains { $0.range(of: trace) != nil }
    }.count
  }

  /// The end of a run before it forgets.
  struct Ending: CustomTestStringConvertible {
    let options: [String]
    /// The signal that ends the run; `nil` for a run that finishes.
    var signal: Int32?
    var testDescription: String { "\(options) \(signal ?? 0)" }
  }

  /// Stopped with its last step saved, killed some steps after a checkpoint, or finished.
  static let endings = [
    Ending(
      options: ["--checkpoint-every", "3", "--stored-predictions", "0.3", "--keep-pictures", "24"],
      signal: SIGTERM),
    Ending(options: ["--memory-directory", "@memory", "--checkpoint-every", "3"], signal: SIGTERM),
    Ending(options: ["--memory-directory", "@memory", "--checkpoint-every", "4"], signal: SIGKILL),
    Ending(options: ["--memory-directory", "@memory"]),
    // With only the kept images of the highest and lowest priorities.
    Ending(options: ["--keep-pictures", "24"]),
  ]

  @Test("A forgotten subject is in no file of the run", arguments: endings)
  func aForgottenSubjectIsInNoFile(ending: Ending) throws {
    let (options, signal) = (ending.options + picturedLogs, ending.signal)
    if let signal {
      try runs.trainUntil(step: 12, "run", options, signal: signal)
    } else {
      try runs.train("run", options)
    }
    for person in [2, 3, 4] { #expect(try traces(of: person) > 2) }
    let others = try traces(of: 4)
    let pictured = try picturesInEventFiles()

    let rehearsal = try onepass.run([
      "memory", "forget", folder.file("run"), "--subject", "person-3", "--dry-run", "--json",
    ])
    #expect(rehearsal.status == 0 && !folder.exists("run/forgotten.jsonl"), "\(rehearsal.errors)")
    #expect(try traces(of: 3) > 2)
    let forgotten = try onepass.run([
      "memory", "forget", folder.file("run"), "--subject", "person-3", "--json", "--reference", "ticket 7",
    ])
    #expect(forgotten.status == 0, "\(forgotten.errors)")
    let positions = try #require(forgotten.json["positions"] as? [Int])
    #expect(positions.count > 2 && positions == rehearsal.json["positions"] as? [Int])
    #expect(try traces(of: 3) == 0)
    #expect(forgotten.json["pictures"] as? Int == pictured && pictured > 3)
    #expect(try picturesInEventFiles() == 0)
    #expect(try traces(of: 4) <= others && traces(of: 4) > 2)
    #expect(try folder.occurrences(of: "person-3") == 0)

    let log = try runs.text("run/forgotten.jsonl")
    #expect(
      log.contains("\"items\":\(positions.count),") && log.contains("\"pictures\":\(pictured),")
        && log.contains("ticket 7") && !log.contains("person-3"))
    let verified = try onepass.run(["memory", "verify", folder.file("run"), "--json"])
    #expect(
      verified.status == 0 && (verified.json["faults"] as? [String])?.isEmpty == true, "\(verified.errors)")
    let again = try onepass.run(["memory", "forget", folder.file("run"), "--subject", "person-3"])
    #expect(again.status == 0 && again.output.contains("Removed 0 items"), "\(again.errors)")
    guard signal != nil else { return }
    // The run resumes, and the subject returns only with the stream.
    try runs.resume("run", options)
    try runs.expectVerified("run")
  }

  /// Each picture is one PNG file.
  func picturesInEventFiles() throws -> Int {
    let events = folder.file("run/tensorboard")
    return try FileManager.default.contentsOfDirectory(atPath: events).reduce(0) { sum, name in
      let file = try folder.bytes(of: "run/tensorboard/\(name)")
      return sum + file.indices.count { file[$0...].starts(with: "IHDR".utf8) }
    }
  }

  /// Who an example was about, by the hash in the ledger of the run.
  func person(ofEach positions: Range<Int>) throws -> [Int] {
    let people = Dictionary(
      uniqueKeysWithValues: try (0..<Self.count).map { index in
        var entry: [UInt8] = []
        LedgerEntry(of: Example(id: 0, label: 0, image: EncodedImage(bytes: try Self.file(index))))
          .write(to: &entry)
        return (Array(entry.dropFirst(5)), index % Self.people)
      })
    let ledger = try folder.bytes(of: "run/ledger")
    return try positions.map { try #require(people[Array(ledger[16 * $0 + 5..<16 * $0 + 16])]) }
  }

  @Test("A finished run without images forgets a subject by the rows of its memory table")
  func aFinishedRunWithoutImagesForgets() throws {
    try runs.train("run")
    #expect(!folder.exists("run/checkpoint/memory.index"))
    let people = try person(ofEach: 0..<Self.count)
    let table = "run/checkpoint/memory.csv"
    let before = try runs.text(table).split(separator: "\n", omittingEmptySubsequences: false)
    func isAbout(_ person: Int, _ row: Substring) -> Bool {
      Int(row.prefix { $0 != "," }).map { people[$0] == person } ?? false
    }
    let rows = before.filter { isAbout(3, $0) }
    #expect(rows.count > 2 && before.count - rows.count > 20)
    // A second name of the file keeps what was in it.
    let old = folder.file("old.csv")
    try FileManager.default.linkItem(atPath: folder.file(table), toPath: old)

    let forget = ["memory", "forget", folder.file("run"), "--subject", "person-3"]
    let rehearsal = try onepass.run(forget + ["--dry-run", "--json"])
    let unchanged = try runs.text(table).split(separator: "\n", omittingEmptySubsequences: false) == before
    #expect(rehearsal.status == 0 && unchanged, "\(rehearsal.errors)")
    let forgotten = try onepass.run(forget + ["--json"])
    let positions = try #require(forgotten.json["positions"] as? [Int], "\(forgotten.errors)")
    #expect(positions == rows.compactMap { Int($0.prefix { $0 != "," }) })
    #expect(positions == rehearsal.json["positions"] as? [Int])
    #expect(forgotten.json["checkpoints"] as? [String] == ["checkpoint"])
    let after = try runs.text(table).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(after == before.filter { !isAbout(3, $0) })
    // The bytes of the rows are gone from the file that was replaced, too.
    let replaced = try runs.text("old.csv").split(separator: "\n")
    #expect(replaced.map(String.init) == after.dropLast().map(String.init))
    // So is who passed at these positions, whether they were in the memory or not.
    let subjects = try folder.bytes(of: "run/subjects")
    for position in 0..<Self.count {
      let isCleared = subjects[8 * position..<8 * position + 8].allSatisfy { $0 == 0 }
      #expect(isCleared == (people[position] == 3), "position \(position)")
    }
    let log = try runs.text("run/forgotten.jsonl")
    #expect(log.contains("\"positions\":[\(positions.map(String.init).joined(separator: ","))]"), "\(log)")
    try runs.expectVerified("run")
    let inspected = try onepass.run(["memory", "inspect", folder.file("run"), "--json"])
    #expect(inspected.json.number("items") == Double(after.count - 2), "\(inspected.errors)")
    let again = try onepass.run(forget)
    #expect(again.status == 0 && again.output.contains("Removed 0 items"), "\(again.errors)")
    // By class and position, which the table names itself.
    let remaining = try runs.memory("run")
    let byClass = try onepass.run([
      "memory", "forget", folder.file("run"), "--class", "cat", "--before", "80",
    ])
    #expect(byClass.status == 0, "\(byClass.errors)")
    let expected = remaining.filter { row in row[1] != "0" || (Int(row[0]) ?? 0) >= 80 }
    #expect(try runs.memory("run") == expected && expected.count < remaining.count)
  }

  @Test("Forgetting names the checkpoints that predate a subject")
  func checkpointsOlderThanASubjectAreNamed() throws {
    try runs.trainUntil(step: 12, "run", ["--checkpoint-every", "1", "--keep-checkpoints", "20"])
    for person in 0..<Self.people {
      let found = try onepass.run([
        "memory", "forget", folder.file("run"), "--subject", "person-\(person)", "--dry-run", "--json",
      ]).json
      let first = try #require(found["firstUse"] as? Int)
      let older = try #require(found["olderCheckpoints"] as? [String])
      // A checkpoint after every 8 examples.
      #expect(older.count == first / 8, "first use \(first), older \(older)")
    }
  }

  @Test("Classes and positions can be forgotten")
  func classesAndPositionsAreForgotten() throws {
    try runs.train("run", ["--memory-directory", "@memory"])
    func labels() throws -> [(id: Int, label: Int)] {
      try runs.memory("run").map { (try #require(Int($0[0])), try #require(Int($0[1]))) }
    }
    let before = try labels()
    #expect(
      try onepass.run(["memory", "forget", folder.file("run"), "--class", "cat", "--before", "80"]).status
        == 0)
    let after = try labels()
    #expect(
      after.map(\.id) == before.filter { !($0.label == 0 && $0.id < 80) }.map(\.id)
        && after.count < before.count)
    #expect(try onepass.run(["memory", "forget", folder.file("run"), "--class", "1"]).status == 0)
    #expect(try labels().allSatisfy { $0.label == 0 })
    #expect(try onepass.run(["memory", "forget", folder.file("run"), "--before", "2100-01-01"]).status == 0)
    #expect(try labels().isEmpty)
    #expect(try (0..<Self.people).allSatisfy { try traces(of: $0) == 0 })
  }

  /// A changed byte on disk damages one image, and does not prevent the run from resuming.
  @Test("A damaged image can be forgotten, and the run resumes")
  func aDamagedImageCanBeForgotten() throws {
    let options = ["--memory-directory", "@memory", "--checkpoint-every", "3"]
    try runs.trainUntil(step: 9, "run", options)
    var store = Data(try folder.bytes(of: "run-memory/images.sqlite"))
    let (index, place) = try #require(
      try (0..<Self.count).lazy.compactMap { index in
        store.range(of: Data(try Self.file(index)[80..<104])).map { (index, $0.lowerBound) }
      }.first)
    store[place] ^= 1
    try folder.write(Array(store), to: "run-memory/images.sqlite")
    let found = try onepass.run(["memory", "verify", folder.file("run"), "--json"])
    #expect(found.status == 65)
    // The store has no positions in plain text; verification reports exactly one.
    let faults = try #require(found.json["faults"] as? [String])
    let positions = Set(
      faults.compactMap {
        $0.components(separatedBy: "--position ").last.flatMap { Int($0.filter(\.isNumber)) }
      })
    let position = try #require(positions.first)
    #expect(positions.count == 1 && position < Self.count, "\(faults), file \(index)")
    let forgotten = try onepass.run(["memory", "forget", folder.file("run"), "--position", "\(position)"])
    #expect(forgotten.status == 0 && forgotten.output.contains("Removed 1 item from"), "\(forgotten.errors)")
    let log = try runs.text("run/forgotten.jsonl")
    #expect(log.contains("\"requestedPositions\":[\(position)]"), "\(log)")
    let impossible = try onepass.run(["memory", "forget", folder.file("run"), "--position", "160"])
    #expect(
      impossible.status == 64 && impossible.errors.contains("--position 160 is not among"),
      "\(impossible.errors)")
    #expect(try folder.bytes(of: "run/forgotten.jsonl").count == log.utf8.count)
    try runs.expectVerified("run")
    try runs.resume("run", options)
    try runs.expectVerified("run")
  }

  @Test("No example outlives its time to live")
  func noExampleOutlivesItsTimeToLive() throws {
    let limited = try runs.train(
      "run", ["--time-to-live", "40", "--json", "--memory-directory", "@memory"])
    #expect((limited.json.number("memory.forgotten") ?? 0) > 10)
    #expect((limited.json.number("memoryContents.age.maximum") ?? 999) <= 40 + 8)
  }

  @Test("A duplicate in the source is reported as a duplicate")
  func aDuplicateInTheSourceIsReportedAsOne() throws {
    try folder.write(try Self.file(5), to: "photos/dog/person-1/copy.png")
    try runs.train("run")
    let verified = try onepass.run(["memory", "verify", folder.file("run")])
    #expect(
      verified.status == 0
        && verified.output.contains("161 examples, each position seen once, none skipped")
        && verified.output.contains("160 different, 1 repeated (in the data or taken again"),
      "\(verified.output)")
  }

  @Test("Verification finds damage to the ledger and to the memory")
  func verificationFindsDamage() throws {
    try runs.train("run", ["--memory-directory", "@memory"])
    let verify = ["memory", "verify", folder.file("run")]
    #expect(try onepass.run(verify).status == 0)
    let whole = try folder.bytes(of: "run/ledger")
    var damaged = whole
    damaged[100] ^= 1
    try folder.write(damaged, to: "run/ledger")
    #expect(try onepass.run(verify).errors.contains("ledger is damaged"))
    try folder.write(whole, to: "run/ledger")

    // Changes a byte of an image in the memory.
    let store = try folder.bytes(of: "run-memory/images.sqlite")
    #expect(try runs.memory("run").count >= 30)
    let place = try #require(
      try (0..<Self.count).lazy.compactMap { index in
        Data(store).range(of: Data(try Self.file(index)[80..<104]))?.lowerBound
      }.first)
    var changed = store
    changed[place] ^= 1
    try folder.write(changed, to: "run-memory/images.sqlite")
    let found = try onepass.run(verify)
    #expect(found.status == 65 && found.errors.contains("does not match its checksum"), "\(found.errors)")
    try folder.write(store, to: "run-memory/images.sqlite")

    for (arguments, sentence) in [
      (["verify", folder.file("photos")], "contains no run"),
      (["verify", folder.file("run"), "--memory-directory", folder.file("x")], "contains no memory"),
      (["forget", folder.file("run")], "requires --subject"),
      (["forget", folder.file("run"), "--class", "bird"], "--class bird is not a class of"),
      (["forget", folder.file("run"), "--before", "soon"], "--before must be a position"),
    ] {
      let outcome = try onepass.run(["memory"] + arguments)
      #expect(outcome.status != 0 && outcome.errors.contains(sentence), "\(outcome.errors)")
    }
    let keyless = try onepass.run(["train", "--data", "fashion-mnist", "--subject-key", "folder"])
    #expect(
      keyless.status == 64 && keyless.errors.contains("have no subject") || keyless.status == 74)
    let field = try runs.attempt(nil, ["--subject-key", "json:who"])
    #expect(field.status == 64 && field.errors.contains("use folder or stem"))
    #expect(
      try onepass.run(["train", "--data", "x", "--subject-key", "who"]).errors.contains(
        "--subject-key must be"))
    #expect(
      try onepass.run(["train", "--data", "x", "--time-to-live", "5", "--method", "naive"]).errors.contains(
        "--time-to-live has no effect with --method naive; omit it, or pass --method replay."))
  }
}
