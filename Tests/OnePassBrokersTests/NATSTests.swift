import BrokerServers
import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Streams of NATS JetStream", .waitsForPrograms,
  .enabled(if: NATSServer.isUsable, "\(NATSServer.reason)"))
struct NATSTests {
  @Test("Messages arrive once and in order, from the start and after each place") func places() throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.places(server.url("photos"))
  }

  @Test("Keys and headers of any bytes arrive as they were sent") func contents() throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.contents(server.url("photos"), type: Array("image/png".utf8))
  }

  @Test("200 messages of 1 MB arrive with memory for four, and a limit of messages holds") func sizes() throws
  {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.sizes(server.url("photos"))
  }

  @Test("A message larger than the memory for fetched messages arrives") func largerThanMemory() throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<6, bytes: 50_000)
    var settings = BrokerSettings()
    settings.fetchBytes = 10_000
    let reader = try server.reader(settings)
    defer { reader.close() }
    #expect(ReaderChecks.labels(try ReaderChecks.take(from: reader)) == Array(0..<6))
  }

  @Test("Deleted messages are no losses", arguments: [3, 6]) func deletedMessages(sequence: Int) throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<10)
    let reader = try server.reader(after: 2)
    defer { reader.close() }
    try server.api("STREAM.MSG.DELETE.photos", "{\"seq\":\(sequence)}")
    #expect(
      ReaderChecks.labels(try ReaderChecks.take(from: reader)) == (2..<10).filter { $0 != sequence - 1 })
    ReaderChecks.expectLag(7, after: PartitionPlace(BrokerOffset(2)), of: reader)
  }

  @Test("A purge of the messages that a waiting reader has read is no loss") func purgeOfReadMessages() throws
  {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<10)
    let reader = try server.reader()
    defer { reader.close() }
    #expect(try ReaderChecks.take(from: reader).count == 10)
    try server.api("STREAM.PURGE.photos")
    try ReaderChecks.fill(server.url("photos"), 10..<12)
    #expect(ReaderChecks.labels(try ReaderChecks.take(2, from: reader)) == [10, 11])
  }

  @Test(
    "A restart of the server loses and repeats nothing",
    arguments: ["TERM", "KILL"])
  func restart(signal: String) throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<3_000, bytes: 2_000)
    var settings = BrokerSettings()
    settings.fetchBytes = 100_000
    let reader = try server.reader(settings)
    defer { reader.close() }
    var taken = try ReaderChecks.take(1_000, from: reader)
    server.end(signal)
    // What has arrived may be polled or fetched again.
    if case .messages(let messages) = try reader.poll(0, seconds: 0.1) { taken += messages }
    try server.start()
    taken += try ReaderChecks.take(3_000 - taken.count, from: reader)
    #expect(ReaderChecks.labels(taken) == Array(0..<3_000))
    server.end(signal)
    try server.start()
    try ReaderChecks.fill(server.url("photos"), 3_000..<3_005)
    #expect(ReaderChecks.labels(try ReaderChecks.take(5, from: reader)) == Array(3_000..<3_005))
  }

  @Test("A place is shown as a durable consumer, and the reading ignores it") func confirm() throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<10)
    let reader = try server.reader()
    defer { reader.close() }
    for (last, lag) in [(4, 6), (2, 8), (10, 0)] {
      #expect(reader.confirm([PartitionPlace(BrokerOffset(UInt64(last)))]) == nil)
      let info = try server.api("CONSUMER.INFO.photos.onepass")
      #expect(info.contains("\"num_pending\":\(lag)"))
      #expect(info.contains("\"ack_policy\":\"all\""))
    }
    #expect(ReaderChecks.labels(try ReaderChecks.take(from: reader)) == Array(0..<10))
    var settings = BrokerSettings()
    settings.group = "theirs"
    try server.api(
      "CONSUMER.DURABLE.CREATE.photos.theirs",
      #"{"stream_name":"photos","config":{"durable_name":"theirs","ack_policy":"explicit"}}"#)
    let other = try server.reader(settings)
    #expect(other.confirm([PartitionPlace(BrokerOffset(4))])?.contains("OnePass has not made") == true)
  }

  @Test(
    "Messages of nats-py are read",
    .enabled(if: ForeignClients.has("nats"), "There is no nats-py; scripts/brokers installs it."))
  func foreignProducer() throws {
    let server = try NATSServer()
    defer { server.end() }
    let outcome = try ForeignClients.run(
      """
      import asyncio, nats, sys
      async def main():
          nc = await nats.connect(sys.argv[1])
          js = nc.jetstream()
          await js.add_stream(name="photos", subjects=["photos"])
          for i in range(5):
              await js.publish("photos", bytes([0, 255, i]), headers={"label": str(i), "key": "k"})
          await nc.close()
      asyncio.run(main())
      """, ["nats://127.0.0.1:\(server.port)"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let reader = try server.reader()
    defer { reader.close() }
    let taken = try ReaderChecks.take(from: reader)
    #expect(taken.map(\.body) == (0..<5).map { [0, 255, UInt8($0)] })
    #expect(ReaderChecks.labels(taken) == Array(0..<5))
    #expect(taken.allSatisfy { $0.key == Array("k".utf8) })
  }
}
