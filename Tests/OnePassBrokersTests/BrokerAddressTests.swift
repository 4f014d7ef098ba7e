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
    let kept = KeptMessages(first: BrokerOffset(9, 0), newest: BrokerOffset(12, 0), removed: 7)
    #expect(kept.lost(after: PartitionPlace(BrokerOffset(5, 0), index: 4)) == 3)
    #expect(kept.lost(after: PartitionPlace(BrokerOffset(5, 0), index: 7)) == 0)
    #expect(kept.lost(after: PartitionPlace(BrokerOffset(5, 0))) == nil)
  }
}
