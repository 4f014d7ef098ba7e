import Foundation
import OnePassBrokers
import OnePassCore
import TestSupport
import Testing

@testable import OnePassService

@Suite("Journal")
struct JournalTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func message(_ number: Int, bytes: Int = 40) -> BrokerMessage {
    var message = BrokerMessage(offset: BrokerOffset(0), body: noise(number, count: bytes))
    message.key = number % 2 == 0 ? Array("key \(number)".utf8) : nil
    message.headers = [BrokerHeader("label", "\(number % 10)".utf8), BrokerHeader("empty", [])]
    return message
  }

  private func open(segmentBytes: Int = 1 << 20) throws -> (journal: Journal, messages: [BrokerMessage]) {
    var messages: [BrokerMessage] = []
    let journal = try Journal(folder.path, segmentBytes: segmentBytes) { message, _ in
      messages.append(message)
    }
    return (journal, messages)
  }

  /// Writes messages one after the other, and closes the journal.
  private func write(_ count: Int, segmentBytes: Int = 1 << 20) async throws {
    let journal = try open(segmentBytes: segmentBytes).journal
    for number in 0..<count { _ = try await journal.append(message(number)) }
    journal.close()
  }

  private var files: [String] { folder.contents.filter { $0.hasSuffix(".journal") } }

  private func isSame(_ a: BrokerMessage, _ b: BrokerMessage) -> Bool {
    a.body == b.body && a.key == b.key && a.headers == b.headers
  }

  @Test("Messages that were appended at the same time have consecutive numbers and survive")
  func concurrentMessages() async throws {
    let journal = try open().journal
    let numbers = try await withThrowingTaskGroup(of: (Int, UInt64).self) { group in
      for index in 0..<200 { group.addTask { (index, try await journal.append(message(index)).number) } }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    journal.close()
    #expect(numbers.values.sorted() == (0..<200).map { UInt64($0) })
    let read = try open().messages
    #expect(read.count == 200)
    for (index, number) in numbers { #expect(isSame(read[Int(number)], message(index))) }
  }

  @Test("A message that a crash has cut at any byte is removed, and its number is used again")
  func tornMessages() async throws {
    try await write(3)
    let path = folder.file(files[0])
    let whole = try folder.bytes(of: files[0])
    var ends: [Int] = []
    _ = try JournalFile(path, writable: false).scan { header, _, start in
      ends.append(start + header.recordBytes)
      return true
    }
    for length in ends[1]..<ends[2] {
      try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
      let (journal, messages) = try open()
      #expect(messages.count == 2)
      #expect(try await journal.append(message(7)).number == 2)
      journal.close()
      let again = try open()
      again.journal.close()
      #expect(again.messages.count == 3 && isSame(again.messages[2], message(7)))
    }
  }

  /// `write` waits for each message, so that each is a batch.
  @Test(
    "A damaged byte in a message that was on disk is an error, also in the last segment",
    arguments: [0, 1, 2])
  func damageOfTheLastSegment(_ message: Int) async throws {
    try await write(4)
    var starts: [Int] = []
    _ = try JournalFile(folder.file(files[0]), writable: false).scan { _, _, start in
      starts.append(start)
      return true
    }
    var bytes = try folder.bytes(of: files[0])
    bytes[starts[message] + 40] ^= 1
    try folder.write(bytes, to: files[0])
    let error = #expect(throws: OnePassError.self) { try open() }
    #expect(error?.message.contains("damaged at byte \(starts[message])") == true)
  }

  @Test("A batch of which a crash has left a part only is removed")
  func tornBatch() async throws {
    try await write(2)
    let path = folder.file(files[0])
    var bytes = try folder.bytes(of: files[0])
    let end = bytes.count
    for number in 2..<5 as Range<UInt64> {
      JournalRecord.append(
        JournalRecord.payload(of: message(Int(number))), number: number, batch: 2, to: &bytes)
    }
    // The first page of the batch did not reach the disk, the others did.
    for place in end..<end + 20 { bytes[place] = 0 }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let (journal, messages) = try open()
    journal.close()
    #expect(messages.count == 2)
    #expect(try folder.bytes(of: files[0]).count == end)
  }

  @Test("A damaged byte ends the last segment, and is an error in an earlier one")
  func damage() async throws {
    try await write(6, segmentBytes: 200)
    #expect(files.count > 1)
    let last = try #require(files.last)
    var bytes = try folder.bytes(of: last)
    bytes[bytes.count - 1] ^= 1
    try folder.write(bytes, to: last)
    let opened = try open(segmentBytes: 200)
    opened.journal.close()
    #expect(opened.messages.count < 6)
    var first = try folder.bytes(of: files[0])
    first[30] ^= 1
    try folder.write(first, to: files[0])
    let error = #expect(throws: OnePassError.self) { try open() }
    #expect(error?.code == .badData)
  }

  @Test("Segments are removed as a whole, and numbers continue without any")
  func removal() async throws {
    try await write(10, segmentBytes: 200)
    let journal = try open(segmentBytes: 200).journal
    journal.remove(before: 5)
    let first = try #require(journal.first)
    #expect(first <= 5 && first > 0)
    journal.remove(before: 10)
    journal.close()
    let (again, messages) = try open(segmentBytes: 200)
    #expect(messages.count < 3)
    #expect(try await again.append(message(1)).number == 10)
    again.close()
  }

  @Test("A cursor reads from any number to the end, over segments", arguments: [0, 1, 4, 9])
  func cursor(_ start: UInt64) async throws {
    try await write(10, segmentBytes: 200)
    let journal = try open().journal
    var cursor = JournalCursor(journal, from: start)
    var read: [BrokerMessage] = []
    while case let messages = try cursor.read(bytes: 100), !messages.isEmpty { read += messages }
    #expect(read.map(\.offset.major) == Array(start..<10))
    #expect(read.allSatisfy { isSame($0, message(Int($0.offset.major))) })
    _ = try await journal.append(message(10))
    #expect(try cursor.read(bytes: 100).map(\.offset.major) == [10])
    journal.close()
  }

  @Test("Redacted messages keep number and place, and leave no trace")
  func redaction() async throws {
    let secret = "a secret picture"
    let journal = try open(segmentBytes: 300).journal
    var places: [Journal.Place] = []
    for number in 0..<8 {
      var message = message(number)
      if number % 3 == 0 {
        message.body = Array(secret.utf8)
        message.headers.append(BrokerHeader("subject", secret.utf8))
      }
      places.append(try await journal.append(message))
    }
    #expect(try journal.redact(headers: ["subject"]) { $0.header("subject") != nil } == 3)
    _ = try await journal.append(message(8))
    #expect(try folder.occurrences(of: secret) == 0)
    for place in places {
      let read = try journal.message(at: place)
      let isGone = place.number % 3 == 0
      #expect(isGone ? read.body.allSatisfy { $0 == 0 } : isSame(read, message(Int(place.number))))
      #expect(read.header("label") == Array("\(place.number % 10)".utf8))
    }
    journal.close()
    #expect(try open().messages.count == 9)
  }
}
