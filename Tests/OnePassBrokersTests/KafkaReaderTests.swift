import CBrokers
import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Kafka, read from librdkafka's mock cluster", .waitsForPrograms, .serialized,
  .enabled(if: KafkaLibrary.loaded != nil, "\(KafkaLibrary.reason)"))
struct KafkaReaderTests {
  let mock: KafkaMock
  let stream: KafkaStream

  init() throws {
    mock = try KafkaMock()
    mock.create("t")
    stream = KafkaStream(try mock.address("t"))
  }

  private static func place(_ offset: Int) -> PartitionPlace { PartitionPlace(BrokerOffset(UInt64(offset))) }

  @Test("A topic is read from its start to its end, in order")
  func order() throws {
    try stream.write(0..<2_500)
    let reader = try stream.reader()
    #expect(try reader.partitionCount() == 1)
    let kept = try reader.kept(0)
    #expect(kept.first == BrokerOffset(0))
    #expect(kept.newest == BrokerOffset(2_499))
    try reader.seek(0, after: nil)
    let read = try KafkaStream.rest(of: reader)
    #expect(read.map { Int($0.offset.major) } == Array(0..<2_500))
    #expect(read.map(KafkaStream.number) == Array(0..<2_500))
    guard case .end = try reader.poll(0, seconds: 0.1) else {
      Issue.record("The end remains the end.")
      return
    }
    ReaderChecks.expectLag(0, after: Self.place(2_499), of: reader)
    ReaderChecks.expectLag(100, after: Self.place(2_399), of: reader)
    ReaderChecks.expectLag(2_500, after: nil, of: reader)
  }

  @Test("Reading resumes after any place, also while messages wait")
  func seek() throws {
    try stream.write(0..<50)
    let reader = try stream.reader()
    for last in [48, 0, 25, 49, 7] {
      try reader.seek(0, after: Self.place(last))
      #expect(try KafkaStream.rest(of: reader).map(KafkaStream.number) == Array(last + 1..<50))
      try reader.seek(0, after: Self.place(1))
    }
    try reader.seek(0, after: nil)
    #expect(try KafkaStream.rest(of: reader).count == 50)
    try stream.write(50..<60)
    #expect(try KafkaStream.take(10, from: reader).map(KafkaStream.number) == Array(50..<60))
  }

  @Test("Body, key and headers keep all bytes, and absent ones stay absent")
  func bytes() throws {
    let all = (0...255).map(UInt8.init)
    var sent = [BrokerMessage(offset: BrokerOffset(0), body: all)]
    sent[0].key = all.reversed()
    sent[0].headers = [
      BrokerHeader("label", [0, 255, 0]), BrokerHeader("label", []), BrokerHeader("ä", all),
    ]
    sent.append(BrokerMessage(offset: BrokerOffset(1), body: []))
    sent[1].key = []
    sent.append(BrokerMessage(offset: BrokerOffset(2), body: [1]))
    let writer = try stream.address.openWriter(stream.settings)
    for message in sent { try writer.send(message) }
    try writer.flush()
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    let read = try KafkaStream.rest(of: reader)
    #expect(read.map(\.body) == sent.map(\.body))
    #expect(read.map(\.key) == sent.map(\.key))
    #expect(read.map(\.headers) == sent.map(\.headers))
  }

  @Test("Partitions take turns in writing, and each is read by itself")
  func partitions() throws {
    mock.create("several", partitions: 3)
    let stream = KafkaStream(try mock.address("several"))
    try stream.write(0..<300)
    let reader = try stream.reader()
    #expect(try reader.partitionCount() == 3)
    for partition in 0..<3 { try reader.seek(partition, after: nil) }
    for partition in [2, 0, 1] {
      let read = try KafkaStream.rest(of: reader, partition)
      #expect(read.map(KafkaStream.number) == Array(stride(from: partition, to: 300, by: 3)))
      #expect(read.allSatisfy { $0.partition == partition })
    }
  }

  @Test("Partitions share the memory of a poll") func partitionMemory() throws {
    mock.create("several", partitions: 4)
    var stream = KafkaStream(try mock.address("several"))
    stream.settings.fetchBytes = 4 << 20
    try stream.write(0..<48, size: 100_000)
    let reader = try stream.reader()
    for partition in 0..<4 {
      try reader.seek(partition, after: nil)
      var (count, most) = (0, 0)
      while count < 12, case .messages(let messages) = try reader.poll(partition, seconds: 8) {
        count += messages.count
        most = max(most, messages.count)
      }
      #expect(count == 12)
      // A quarter of a MiB, and the message that reaches it.
      #expect(most <= 3)
    }
  }

  @Test("Waiting for the ends of a partition has a limit, also where librdkafka has none") func slowBroker()
    throws
  {
    try stream.write(0..<3)
    let address = try mock.address("t")
    let configuration = try KafkaConfiguration(address, .init())
    let client = try KafkaClient(.reader, address, configuration, configuration.reader(partitions: 1))
    #expect(try client.watermarks(0, within: 2).get() == 0..<3)
    // Two answers, each within the time.
    mock.delay(milliseconds: 700)
    let start = ContinuousClock.now
    #expect(throws: KafkaProblem.self) { try client.watermarks(0, within: 0.8).get() }
    #expect(.now - start < .seconds(1.1))
    mock.delay(milliseconds: 0)
  }

  @Test("What is confirmed is stored for the group, which reading ignores")
  func confirm() throws {
    try stream.write(0..<10)
    let reader = try stream.reader()
    #expect(reader.confirm([Self.place(6)]) == nil)
    #expect(mock.committed("onepass", "t", 0) == 7)
    #expect(reader.confirm([nil]) == nil)
    try reader.seek(0, after: Self.place(2))
    #expect(try KafkaStream.rest(of: reader).first.flatMap(KafkaStream.number) == 3)
  }

  @Test("A message over the limit is an error with its offset, after the messages before it")
  func limit() throws {
    try stream.write(0..<3, size: 500)
    try stream.write(3..<4, size: 2_000)
    var limited = stream
    limited.settings.messageBytes = 1_000
    let reader = try limited.reader()
    try reader.seek(0, after: nil)
    #expect(try KafkaStream.take(3, from: reader).count == 3)
    for _ in 0..<2 {
      let error = #expect(throws: OnePassError.self) { try reader.poll(0, seconds: 5) }
      #expect(error?.code == .badData)
      #expect(error?.message.contains("offset 3 of partition 0 has 2000 bytes") == true)
    }
    try reader.seek(0, after: Self.place(1))
    #expect(try KafkaStream.take(1, from: reader).count == 1)
  }

  @Test("A place before the first message that is kept is an error with the count of lost messages")
  func retention() throws {
    try stream.write(0..<12, size: 1 << 20)
    let reader = try stream.reader()
    let kept = try reader.kept(0)
    let first = try #require(kept.first)
    #expect(first.major > 3)
    #expect(kept.lost(after: Self.place(1)) == Int(first.major) - 2)
    try reader.seek(0, after: Self.place(1))
    let error = #expect(throws: OnePassError.self) { try KafkaStream.rest(of: reader) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains("\(first.major - 2) messages after 1 were removed") == true)
    try reader.seek(0, after: nil)
    let all = #expect(throws: OnePassError.self) { try KafkaStream.rest(of: reader) }
    #expect(all?.message.contains("\(first.major) messages at the start were removed") == true)
    try reader.seek(0, after: kept.start)
    #expect(try KafkaStream.rest(of: reader).map { $0.offset.major } == Array(first.major..<12))
  }

  @Test("A place beyond the end is an error")
  func beyond() throws {
    try stream.write(0..<5)
    let reader = try stream.reader()
    #expect(try reader.kept(0).newest == BrokerOffset(4))
    try reader.seek(0, after: Self.place(20))
    let error = #expect(throws: OnePassError.self) { try KafkaStream.rest(of: reader, within: 9) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains("the stream ends at 4, before 20") == true)
  }

  @Test("With little memory, fetches follow each other without a pause")
  func fetches() throws {
    for number in 0..<4 { try stream.write(number..<number + 1, size: 1 << 20) }
    var small = stream
    small.settings.fetchBytes = 1 << 20
    let reader = try small.reader()
    try reader.seek(0, after: nil)
    let start = ContinuousClock.now
    #expect(try KafkaStream.rest(of: reader).count == 4)
    #expect(.now - start < .seconds(1))
  }

  @Test("A long stream is read with little memory")
  func memory() throws {
    var small = stream
    small.settings.fetchBytes = 2 << 20
    let (reader, writer) = (try small.reader(), try stream.address.openWriter(small.settings))
    try reader.seek(0, after: nil)
    var before = 0
    // The cluster keeps four.
    for first in stride(from: 0, to: 200, by: 4) {
      for number in first..<first + 4 { try writer.send(KafkaStream.message(number, size: 1 << 20)) }
      try writer.flush()
      #expect(try KafkaStream.take(4, from: reader).map(KafkaStream.number) == Array(first..<first + 4))
      // By then the cluster, which is in the same process, is full.
      if first == 20 { before = ResidentMemory.bytes }
    }
    #expect(ResidentMemory.bytes - before < 16 << 20)
  }
}
