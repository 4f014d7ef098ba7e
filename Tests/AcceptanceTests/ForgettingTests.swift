import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

/// What a run proves of its pass, and what it forgets.
@Suite struct ForgettingTests {
  let folder: TemporaryFolder
  static let people = 8
  static let count = 160

  /// Noise, so that a few bytes in the middle of a file are in no other: example i is about person i mod 8.
  init() throws {
    folder = try TemporaryFolder()
    for index in 0..<Self.count {
      try folder.write(
        try Self.file(index),
        to: "photos/\(["cat", "dog"][index / 8 % 2])/person-\(index % Self.people)/\(index).png")
    }
  }

  static func file(_ index: Int) throws -> [UInt8] {
    var chance = SeededGenerator(seed: 3, .test, index)
    return try encodePNG(
      (0..<256).map { _ in UInt8(chance.next(below: 256)) }, width: 16, height: 16, channels: 1)
  }

  func train(_ more: [String]) -> [String] {
    [
      "train", "--data", "folder:\(folder.file("photos"))", "--model", "resnet8", "--batch-size", "8",
      "--replay-steps", "1", "--storage", "40%", "--threads", "1", "--subject-key", "folder", "--output",
      folder.file("run"), "--progress", "json",
    ] + more.map { $0 == "@memory" ? folder.file("memory") : $0 }
  }

  /// How many images of a person are in the files of the run and its memory.
  func traces(of person: Int) throws -> Int {
    var files: [Data] = []
    for name in ["run", "memory"] {
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

  /// How a run ends before it has to forget.
  struct Ending: CustomTestStringConvertible {
    let options: [String]
    /// Which signal ends it; it comes to its end by itself if `nil`.
    var signal: Int32?
    var testDescription: String { "\(options) \(signal ?? 0)" }
  }

  /// Stopped with the last step saved, or killed some steps after a checkpoint, or finished.
  static let endings = [
    Ending(options: ["--checkpoint-every", "3", "--stored-predictions", "0.3"], signal: SIGTERM),
    Ending(options: ["--memory-directory", "@memory", "--checkpoint-every", "3"], signal: SIGTERM),
    Ending(options: ["--memory-directory", "@memory", "--checkpoint-every", "4"], signal: SIGKILL),
    Ending(options: ["--memory-directory", "@memory"]),
    // With nothing but the pictures of both ends of the priorities.
    Ending(options: []),
  ]

  @Test(arguments: endings)
  func aSubjectIsNowhereInTheFiles(ending: Ending) throws {
    let (options, signal) = (ending.options, ending.signal)
    let running = try RunningProgram(onepass, train(options))
    if let signal {
      #expect(running.wait { folder.exists("run/unfinished/step-00000012") })
      running.signal(signal)
    }
    let status = running.wait()
    #expect(signal == SIGKILL || status == 0, "\(running.errors)")
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

    let log = String(decoding: try folder.bytes(of: "run/forgotten.jsonl"), as: UTF8.self)
    #expect(
      log.contains("\"items\":\(positions.count),") && log.contains("\"pictures\":\(pictured),")
        && log.contains("ticket 7") && !log.contains("person-3"))
    let verified = try onepass.run(["memory", "verify", folder.file("run"), "--json"])
    #expect(
      verified.status == 0 && (verified.json["faults"] as? [String])?.isEmpty == true, "\(verified.errors)")
    let again = try onepass.run(["memory", "forget", folder.file("run"), "--subject", "person-3"])
    #expect(again.status == 0 && again.output.contains("Removed 0 items"), "\(again.errors)")
    guard signal != nil else { return }
    // It goes on from there, and the subject does not come back but with the stream.
    let last = try onepass.run(train(options + ["--resume"]))
    #expect(last.status == 0, "\(last.errors)")
    #expect(try onepass.run(["memory", "verify", folder.file("run")]).status == 0)
  }

  /// Each is a PNG file of its own.
  func picturesInEventFiles() throws -> Int {
    let events = folder.file("run/tensorboard")
    return try FileManager.default.contentsOfDirectory(atPath: events).reduce(0) { sum, name in
      let file = try folder.bytes(of: "run/tensorboard/\(name)")
      return sum + file.indices.count { file[$0...].starts(with: "IHDR".utf8) }
    }
  }

  @Test func theOldestWeightsMayPredateASubject() throws {
    let running = try RunningProgram(onepass, train(["--checkpoint-every", "1", "--keep-checkpoints", "20"]))
    #expect(running.wait { folder.exists("run/unfinished/step-00000012") })
    running.signal(SIGTERM)
    #expect(running.wait() == 0, "\(running.errors)")
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

  @Test func classesAndPositionsAreForgotten() throws {
    #expect(try onepass.run(train(["--memory-directory", "@memory"])).status == 0)
    func labels() throws -> [(id: Int, label: Int)] {
      String(decoding: try folder.bytes(of: "run/checkpoint/memory.csv"), as: UTF8.self)
        .split(separator: "\n").dropFirst().compactMap { line in
          let fields = line.split(separator: ",").compactMap { Int($0) }
          return fields.count < 2 ? nil : (fields[0], fields[1])
        }
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

  /// A byte that changed on the disk costs its image, and not the run.
  @Test func aDamagedImageIsGivenUp() throws {
    let options = ["--memory-directory", "@memory", "--checkpoint-every", "3"]
    let running = try RunningProgram(onepass, train(options))
    #expect(running.wait { folder.exists("run/unfinished/step-00000009") })
    running.signal(SIGTERM)
    #expect(running.wait() == 0, "\(running.errors)")
    var store = Data(try folder.bytes(of: "memory/images.sqlite"))
    let (index, place) = try #require(
      try (0..<Self.count).lazy.compactMap { index in
        store.range(of: Data(try Self.file(index)[80..<104])).map { (index, $0.lowerBound) }
      }.first)
    store[place] ^= 1
    try folder.write(Array(store), to: "memory/images.sqlite")
    let found = try onepass.run(["memory", "verify", folder.file("run"), "--json"])
    #expect(found.status == 65)
    // The file names no position; what is found does, and only one.
    let faults = try #require(found.json["faults"] as? [String])
    let positions = Set(
      faults.compactMap {
        $0.components(separatedBy: "--position ").last.flatMap { Int($0.filter(\.isNumber)) }
      })
    let position = try #require(positions.first)
    #expect(positions.count == 1 && position < Self.count, "\(faults), file \(index)")
    let forgotten = try onepass.run(["memory", "forget", folder.file("run"), "--position", "\(position)"])
    #expect(forgotten.status == 0 && forgotten.output.contains("Removed 1 item from"), "\(forgotten.errors)")
    let log = String(decoding: try folder.bytes(of: "run/forgotten.jsonl"), as: UTF8.self)
    #expect(log.contains("\"requestedPositions\":[\(position)]"), "\(log)")
    let impossible = try onepass.run(["memory", "forget", folder.file("run"), "--position", "160"])
    #expect(impossible.status == 64 && impossible.errors.contains("no example 160"), "\(impossible.errors)")
    #expect(try folder.bytes(of: "run/forgotten.jsonl").count == log.utf8.count)
    #expect(try onepass.run(["memory", "verify", folder.file("run")]).status == 0)
    let last = try onepass.run(train(options + ["--resume"]))
    #expect(last.status == 0, "\(last.errors)")
    #expect(try onepass.run(["memory", "verify", folder.file("run")]).status == 0)
  }

  @Test func anExampleStaysNoLongerThanItsTime() throws {
    let limited = try onepass.run(train(["--time-to-live", "40", "--json", "--memory-directory", "@memory"]))
    #expect(limited.status == 0, "\(limited.errors)")
    #expect((limited.json.number("memory.forgotten") ?? 0) > 10)
    #expect((limited.json.number("memoryContents.age.maximum") ?? 999) <= 40 + 8)
  }

  @Test func aDuplicateInTheSourceIsReportedAsOne() throws {
    try folder.write(try Self.file(5), to: "photos/dog/person-1/copy.png")
    #expect(try onepass.run(train([])).status == 0)
    let verified = try onepass.run(["memory", "verify", folder.file("run")])
    #expect(
      verified.status == 0 && verified.output.contains("161 examples, each taken once, none skipped")
        && verified.output.contains("1 of its examples are in it more than once"), "\(verified.output)")
  }

  @Test func whatIsWrongIsFound() throws {
    #expect(try onepass.run(train(["--memory-directory", "@memory"])).status == 0)
    let verify = ["memory", "verify", folder.file("run")]
    #expect(try onepass.run(verify).status == 0)
    let whole = try folder.bytes(of: "run/ledger")
    var damaged = whole
    damaged[100] ^= 1
    try folder.write(damaged, to: "run/ledger")
    #expect(try onepass.run(verify).errors.contains("ledger is damaged"))
    try folder.write(whole, to: "run/ledger")

    // A byte of an image of the memory.
    let store = try folder.bytes(of: "memory/images.sqlite")
    let held = String(decoding: try folder.bytes(of: "run/checkpoint/memory.csv"), as: UTF8.self)
    #expect(held.split(separator: "\n").count > 30)
    let place = try #require(
      try (0..<Self.count).lazy.compactMap { index in
        Data(store).range(of: Data(try Self.file(index)[80..<104]))?.lowerBound
      }.first)
    var changed = store
    changed[place] ^= 1
    try folder.write(changed, to: "memory/images.sqlite")
    let found = try onepass.run(verify)
    #expect(found.status == 65 && found.errors.contains("is not what was put there"), "\(found.errors)")
    try folder.write(store, to: "memory/images.sqlite")

    for (arguments, sentence) in [
      (["verify", folder.file("photos")], "holds no run"),
      (["verify", folder.file("run"), "--memory-directory", folder.file("x")], "holds no memory"),
      (["forget", folder.file("run")], "There is nothing to forget"),
      (["forget", folder.file("run"), "--class", "bird"], "has no class bird"),
      (["forget", folder.file("run"), "--before", "soon"], "--before soon is not possible"),
    ] {
      let outcome = try onepass.run(["memory"] + arguments)
      #expect(outcome.status != 0 && outcome.errors.contains(sentence), "\(outcome.errors)")
    }
    let keyless = try onepass.run(["train", "--data", "fashion-mnist", "--subject-key", "folder"])
    #expect(
      keyless.status == 64 && keyless.errors.contains("say nothing of a subject") || keyless.status == 74)
    let field = try onepass.run([
      "train", "--data", "folder:\(folder.file("photos"))", "--subject-key", "json:who",
    ])
    #expect(field.status == 64 && field.errors.contains("use folder or stem"))
    #expect(
      try onepass.run(["train", "--data", "x", "--subject-key", "who"]).errors.contains("is not known"))
    #expect(
      try onepass.run(["train", "--data", "x", "--time-to-live", "5", "--method", "naive"]).errors.contains(
        "is for a replay memory"))
  }
}
