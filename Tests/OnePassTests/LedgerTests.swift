import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass

/// The ledger says of each example that it was taken, once, and what it was.
@Suite("The ledger of a pass") struct LedgerTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Of the specification of XXH3: the hash of nothing, with seed 0.
  @Test("The hash is XXH3")
  func theHashIsXXH3() {
    let nothing = [UInt8]().withUnsafeBytes { ContentHash(of: $0).description }
    #expect(nothing == "99aa06d3014798d86001c324468d497f")
    let running = RunningHash()
    let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    for start in stride(from: 0, to: bytes.count, by: 333) {
      bytes[start..<min(start + 333, bytes.count)].withUnsafeBytes { running.update($0) }
    }
    #expect(running.value == bytes.withUnsafeBytes { ContentHash(of: $0) })
  }

  @Test("An entry takes 16 bytes and can be read back")
  func anEntryTakesSixteenBytesAndComesBack() {
    for id in [0, 1, 255, 65_536, 1 << 39] {
      let entry = LedgerEntry(of: .synthetic(id, bytes: 100))
      var bytes: [UInt8] = [9]
      entry.write(to: &bytes)
      #expect(bytes.count == 17)
      #expect(bytes.withUnsafeBytes { LedgerEntry($0, at: 1) } == entry)
    }
    #expect(LedgerEntry(of: .synthetic(1)).hash != LedgerEntry(of: .synthetic(2)).hash)
  }

  func write(_ examples: [Example], settled: Int? = nil) throws -> LedgerMark {
    let ledger = Ledger(in: folder.path, withSubjects: true)
    try ledger.append(examples.prefix(settled ?? examples.count).map { Arrival($0, problem: nil) })
    return try ledger.makeDurable()
  }

  func read(_ mark: LedgerMark) throws -> LedgerFile {
    try LedgerFile(path: folder.file(Ledger.fileName), mark: mark)
  }

  @Test("The ledger shows what was taken twice or skipped")
  func itTellsWhatWasTakenTwiceOrSkipped() throws {
    let stream = (0..<50).map { Example.synthetic($0) }
    #expect(try read(write(stream)).firstFault == nil)
    var twice = stream
    twice.insert(stream[20], at: 21)
    #expect(try read(write(twice)).firstFault == "example 20 was taken twice")
    var skipped = stream
    skipped.remove(at: 30)
    #expect(try read(write(skipped)).firstFault == "example 30 was skipped (followed by 31)")
  }

  @Test("Duplicates in the source are found")
  func duplicatesOfTheSourceAreFound() throws {
    var stream = (0..<50).map { Example.synthetic($0) }
    for (position, original) in [(17, 3), (44, 3), (30, 29)] {
      stream[position] = Example(id: position, label: 0, image: stream[original].image)
    }
    let ledger = try read(write(stream))
    #expect(try ledger.firstFault == nil)
    for atOnce in [1 << 22, 7] {
      let repeated = try RepeatedContents(in: ledger, atOnce: atOnce)
      #expect(repeated.count == 3)
      #expect(
        repeated.first.map(\.position) == [17, 30, 44] && repeated.first.map(\.original) == [3, 29, 3])
    }
  }

  /// Every content of 6,000 examples occurs twice, so that more repeat than are listed.
  @Test("Of many repeated contents all are counted, and the first are listed")
  func manyRepeatedContentsAreCounted() throws {
    let stream = (0..<6_000).map { id in
      Example(id: id, label: 0, image: EncodedImage(bytes: Array("image \(id % 3_000)".utf8)))
    }
    let repeated = try RepeatedContents(in: read(write(stream)), atOnce: 500)
    #expect(repeated.count == 3_000 && repeated.first.map(\.position) == Array(3_000..<4_000))
    #expect(repeated.first.allSatisfy { $0.position - 3_000 == $0.original })
  }

  /// What was taken beyond a checkpoint is cut off, and taken again.
  @Test("The ledger resumes after its last checkpoint")
  func itGoesOnAfterAMark() throws {
    let stream = (0..<90).map { id in
      Example(id: id, label: 0, image: Example.synthetic(id).image, subject: id % 9 == 4 ? nil : "s\(id % 4)")
    }
    let whole = try write(stream)
    let bytes = try (folder.bytes(of: "ledger"), folder.bytes(of: "subjects"))
    #expect(bytes.0.count == 90 * 16 && bytes.1.count == 90 * 8)

    let mark = try write(Array(stream[..<40]), settled: 30)
    #expect(mark.examples == 30)
    let ahead = Ledger(in: folder.path, withSubjects: true)
    try ahead.append(stream[..<60].map { Arrival($0, problem: nil) })
    _ = try ahead.makeDurable()
    let resumed = try Ledger(resuming: read(mark), in: folder.path, withSubjects: true)
    for start in stride(from: 30, to: 90, by: 20) {
      try resumed.append(stream[start..<start + 20].map { Arrival($0, problem: nil) })
    }
    #expect(try resumed.makeDurable() == whole)
    #expect(try (folder.bytes(of: "ledger"), folder.bytes(of: "subjects")) == bytes)
  }

  @Test("Any changed byte is detected")
  func everyChangedByteIsNoticed() throws {
    let mark = try write((0..<8).map { Example.synthetic($0) })
    let whole = try folder.bytes(of: "ledger")
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 4
      try folder.write(damaged, to: "ledger")
      #expect(throws: OnePassError.self, "byte \(index)") { try read(mark) }
    }
    try folder.write(Array(whole.dropLast()), to: "ledger")
    #expect { try read(mark) } throws: { "\($0)".contains("is damaged") }
    // What came later does not count.
    try folder.write(whole + [1, 2, 3], to: "ledger")
    #expect(try read(mark).count == 8)
  }

  @Test("Subjects are found and forgotten")
  func subjectsAreFoundAndForgotten() throws {
    _ = try write(
      (0..<30).map { Example(id: $0, label: 0, image: Example.synthetic($0).image, subject: "s\($0 % 7)") })
    var log = try SubjectLog(path: folder.file(SubjectLog.fileName))
    #expect(log.positions(of: "s3") == [3, 10, 17, 24] && log.positions(of: "s9").isEmpty)
    try log.clear([3, 10, 17, 24])
    let again = try SubjectLog(path: folder.file(SubjectLog.fileName))
    #expect(again.positions(of: "s3").isEmpty && again.positions(of: "s4") == [4, 11, 18, 25])
  }

  @Test("Times are converted to positions")
  func timesBecomePositions() {
    var log = ArrivalLog()
    let start = Date(timeIntervalSince1970: 1_000_000)
    for second in 0..<100 { log.note(second * 5, at: start + Double(second)) }
    #expect(log.position(before: start) == 0)
    // Every example that came before the time lies before the position, and few others do.
    for second in [0.5, 9, 10, 33, 95] {
      let position = log.position(before: start + second)
      #expect(
        position >= Int(second.rounded(.up)) * 5 && (position <= Int(second) * 5 + 50 || second > 90))
    }
    #expect(log.position(before: start + 1_000) == .max)
  }

  @Test("Time spans are parsed")
  func spansAreRead() throws {
    #expect(try TimeToLive("500") == .examples(500) && TimeToLive("2d") == .seconds(172_800))
    for text in ["", "0", "-1", "d", "0h", "5y"] {
      #expect(throws: OnePassError.self, "\(text)") { try TimeToLive(text) }
    }
    #expect(try ForgetRequest.Bound("17") == .position(17))
    #expect(try ForgetRequest.Bound("1970-01-02") == .time(Date(timeIntervalSince1970: 86_400)))
    #expect(try ForgetRequest.Bound("1970-01-01T01:00:00Z") == .time(Date(timeIntervalSince1970: 3_600)))
    for text in ["", "yesterday", "-4", "2026-13-01"] {
      #expect(throws: OnePassError.self, "\(text)") { try ForgetRequest.Bound(text) }
    }
  }
}
