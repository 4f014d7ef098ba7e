import OnePassCore
import Testing

@testable import OnePassBrokers

@Suite("URLs of brokers") struct BrokerAddressTests {
  @Test(
    "A URL names servers, stream, user and password",
    arguments: [
      ("redis://localhost/photos", "redis://localhost:6379/photos", nil, nil),
      ("kafka://a:1,b:2/t", "kafka://a:1,b:2/t", nil, nil),
      ("kafka://a,b:2/t", "kafka://a:9092,b:2/t", nil, nil),
      ("amqps://me:p%40ss@[::1]/q%2F1", "amqps://[::1]:5671/q/1", "me", "p@ss"),
      ("natss://me@h:7/S", "natss://h:7/S", "me", nil),
      ("redis://:pw@h/s", "redis://h:6379/s", nil, "pw"),
    ] as [(String, String, String?, String?)])
  func parsed(text: String, shown: String, user: String?, password: String?) throws {
    let address = try BrokerAddress(text)
    #expect(address.description == shown)
    #expect(address.user == user)
    #expect(address.password == password)
    #expect("\(address)\(String(reflecting: address))".contains("p@ss") == false)
  }

  @Test(
    "A malformed URL is refused, without its password in the message",
    arguments: [
      "redis://localhost", "redis://localhost/", "redis:///s", "kafka://h:0/t", "kafka://h:x/t",
      "redis://a,b/s",
      "amqp://me:canary/x@h/q", "redis://me:canary@h/s?db=1", "http://h/s", "redis://[::1/s",
      "redis://me:canary%zz@h/s", "kafka://canary%:x@h/t",
    ])
  func refused(text: String) throws {
    let error = #expect(throws: OnePassError.self) { try BrokerAddress(text) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("canary") == false)
  }
}

@Suite("Places in streams") struct BrokerOffsetTests {
  @Test("An offset is its text, and Redis's have two numbers")
  func text() throws {
    #expect(BrokerOffset("42")?.description == "42")
    #expect(BrokerOffset("1700000000000-3")?.description == "1700000000000-3")
    #expect(BrokerOffset("7-0")?.description == "7-0")
    for text in ["", "-", "x", "1-", "-1", "1-2-3", "18446744073709551616"] {
      #expect(BrokerOffset(text) == nil)
    }
    #expect(try #require(BrokerOffset("5-9")) < #require(BrokerOffset("6-0")))
    #expect(try #require(BrokerOffset("5-9")) < #require(BrokerOffset("5-10")))
  }

  @Test(
    "Lost messages are those between the place and the first one that is kept",
    arguments: [
      (9, 10, 20, 0), (9, 12, 20, 2), (9, nil, 20, 11), (20, nil, 20, 0), (9, 5, 20, 0),
    ] as [(UInt64, UInt64?, UInt64, Int)])
  func lost(last: UInt64, first: UInt64?, newest: UInt64, expected: Int) {
    let kept = KeptMessages(first: first.map { BrokerOffset($0) }, newest: BrokerOffset(newest))
    #expect(kept.lost(after: PartitionPlace(BrokerOffset(last))) == expected)
  }

  @Test("With a count of removed messages, those that were read are not lost")
  func lostByCount() {
    var kept = Self.entries
    for (last, index, lost) in [
      (5, 4, 3), (5, 7, 0), (5, nil, nil), (10, 3, 0), (12, 8, 3), (12, 11, 0),
    ] as [(UInt64, Int?, Int?)] {
      #expect(kept.lost(after: PartitionPlace(BrokerOffset(last, 0), index: index)) == lost, "\(last)")
    }
    #expect(kept.lost(after: nil) == 7)
    kept.removed = nil
    #expect(kept.lost(after: PartitionPlace(BrokerOffset(5, 0), index: 4)) == nil)
  }

  /// Of eleven entries, the last four.
  private static let entries = KeptMessages(
    first: BrokerOffset(9, 0), newest: BrokerOffset(12, 0), removed: 7, added: 11)
  private static let numbers = KeptMessages(first: BrokerOffset(12), newest: BrokerOffset(20))
  private static let removed = KeptMessages(first: nil, newest: BrokerOffset(20))
  private static let empty = KeptMessages(first: nil, newest: nil)

  @Test("A gap of the offsets that the broker uses itself is no loss") func ownOffsets() {
    var kept = Self.numbers
    kept.ownOffsets = 1
    #expect(kept.lost(after: PartitionPlace(BrokerOffset(10))) == 0)
    #expect(kept.lost(after: PartitionPlace(BrokerOffset(9))) == 2)
  }

  @Test("A place passes what is lost, and never moves back") func passing() {
    #expect(
      Self.entries.passing(PartitionPlace(BrokerOffset(5, 0), index: 4))
        == PartitionPlace(BrokerOffset(5, 0), index: 7))
    #expect(Self.entries.passing(nil) == PartitionPlace(BrokerOffset(0, 0), index: 7))
    #expect(Self.numbers.passing(PartitionPlace(BrokerOffset(9))) == PartitionPlace(BrokerOffset(11)))
    #expect(Self.numbers.passing(PartitionPlace(BrokerOffset(15))) == PartitionPlace(BrokerOffset(15)))
    #expect(Self.removed.passing(PartitionPlace(BrokerOffset(9))) == PartitionPlace(BrokerOffset(20)))
    #expect(Self.empty.passing(nil) == nil)
  }

  @Test("A stream contradicts a place that it ends before, or of which it has had fewer messages")
  func contradicts() {
    for (kept, last, isOther) in [
      (Self.numbers, 20, false), (Self.numbers, 21, true), (Self.numbers, 3, false),
      (Self.empty, 0, false), (Self.empty, 1, true),
    ] as [(KeptMessages, UInt64, Bool)] {
      #expect(kept.contradicts(PartitionPlace(BrokerOffset(last))) == isOther, "\(last)")
    }
    for (last, index, isOther) in [
      (5, 7, false), (5, 8, true), (12, 11, false), (12, 12, true), (13, 11, true), (5, nil, false),
    ] as [(UInt64, Int?, Bool)] {
      let place = PartitionPlace(BrokerOffset(last, 0), index: index)
      #expect(Self.entries.contradicts(place) == isOther, "\(place)")
    }
    let start = PartitionPlace(BrokerOffset(0, 0), index: 0)
    #expect(!KeptMessages(first: nil, newest: nil, removed: 0, added: 0).contradicts(start))
  }

  @Test("The start of a stream is before the first message that is left") func start() {
    #expect(Self.entries.start == PartitionPlace(BrokerOffset(0, 0), index: 7))
    #expect(Self.numbers.start == PartitionPlace(BrokerOffset(11)))
    #expect(Self.removed.start == PartitionPlace(BrokerOffset(20)))
    #expect(Self.empty.start == nil)
    #expect(KeptMessages(first: BrokerOffset(0), newest: BrokerOffset(3)).start == nil)
  }
}
