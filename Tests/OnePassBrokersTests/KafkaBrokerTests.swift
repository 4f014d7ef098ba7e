import BrokerServers
import CBrokers
import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Kafka, read from noida-db", .waitsForPrograms, .serialized,
  .enabled(if: KafkaLibrary.loaded != nil, "\(KafkaLibrary.reason)"),
  .enabled(if: NoidaBroker.path != nil, "\(NoidaBroker.reason)"))
struct KafkaBrokerTests {
  let broker: NoidaBroker
  let stream: KafkaStream

  init() throws {
    broker = try NoidaBroker()
    stream = KafkaStream(try BrokerAddress("kafka://127.0.0.1:\(broker.port)/t"))
  }

  private var servers: String { "127.0.0.1:\(broker.port)" }
  private static func place(_ offset: Int) -> PartitionPlace { PartitionPlace(BrokerOffset(UInt64(offset))) }

  @Test("A writer creates its topic, with the partitions of the configuration")
  func creation() throws {
    let unknown = #expect(throws: OnePassError.self) { try stream.reader() }
    #expect(unknown?.code == .notFound)
    let several = KafkaStream(stream.address, ["partitions": "3"])
    try several.write(0..<9)
    let reader = try stream.reader()
    #expect(try reader.partitionCount() == 3)
    try reader.seek(2, after: nil)
    #expect(try KafkaStream.rest(of: reader, 2).map(KafkaStream.number) == [2, 5, 8])
  }

  @Test("Aborted messages are not read, and the gaps of transactions are neither losses nor a lag")
  func transactions() throws {
    try stream.write(0..<2)
    let writer = try KafkaAdmin(servers, transactions: "test")
    try writer.transaction(2..<5, to: "t", isCommitted: false)
    try writer.transaction(5..<8, to: "t", isCommitted: true)
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    let read = try KafkaStream.rest(of: reader)
    #expect(read.map(KafkaStream.number) == [0, 1, 5, 6, 7])
    let last = try #require(read.last)
    // Two markers have offsets.
    #expect(last.offset == BrokerOffset(8))
    #expect(try reader.kept(0).newest == BrokerOffset(9))
    ReaderChecks.expectLag(0, after: PartitionPlace(last.offset), of: reader)
    #expect(try reader.kept(0).lost(after: Self.place(1)) == 0)
    for place in [1, 3, 8] {
      try reader.seek(0, after: Self.place(place))
      let rest = try KafkaStream.rest(of: reader).map(KafkaStream.number)
      #expect(rest == (place < 5 ? [5, 6, 7] : []))
    }
  }

  @Test("Partitions that are added are found and read, and the others continue")
  func growth() throws {
    try stream.write(0..<4)
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    #expect(try KafkaStream.take(4, from: reader).count == 4)
    try KafkaAdmin(servers).grow("t", to: 2)
    // The number is asked for every ten seconds; a second reader shows it at once.
    let late = try stream.reader()
    #expect(try late.partitionCount() == 2)
    (reader as? KafkaReader)?.expireCount()
    #expect(try reader.partitionCount() == 2)
    try stream.write(4..<8)
    try reader.seek(1, after: nil)
    #expect(try KafkaStream.take(2, from: reader).map(KafkaStream.number) == [4, 6])
    #expect(try KafkaStream.rest(of: reader, 1).map(KafkaStream.number) == [5, 7])
  }

  @Test("A broker that is killed and started again is read on, without a gap or a double")
  func restart() throws {
    try stream.write(0..<100)
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    var read = try KafkaStream.take(100, from: reader)
    broker.kill(after: 1.5)
    try broker.start()
    try stream.write(100..<200)
    read += try KafkaStream.take(100, from: reader)
    #expect(read.map(KafkaStream.number) == Array(0..<200))
  }

  @Test("A broker that came back without the last messages is an error")
  func truncation() throws {
    try stream.write(0..<10)
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    var read = try KafkaStream.take(10, from: reader)
    Thread.sleep(forTimeInterval: 1.5)
    try stream.write(10..<30)
    read += try KafkaStream.take(20, from: reader)
    #expect(read.count == 30)
    broker.kill()
    try broker.start()
    try #require(try stream.reader().kept(0).newest == BrokerOffset(9), "the broker has lost nothing")
    try stream.write(1_000..<1_005)
    let error = #expect(throws: OnePassError.self) { _ = try KafkaStream.take(1, from: reader, within: 9) }
    #expect(error?.code == .badData)
  }

  @Test("kcat's messages are read", .enabled(if: Kcat.path != nil, "kcat is not installed."))
  func foreignProducer() throws {
    try stream.write(0..<1)
    let folder = try TemporaryFolder()
    try folder.write(Array("first\nsecond\n".utf8), to: "lines")
    let outcome = try Program(path: Kcat.path ?? "").run(
      ["-P", "-b", servers, "-t", "t", "-k", "7", "-H", "label=3", "-z", "gzip"], input: folder.file("lines"))
    #expect(outcome.status == 0)
    let reader = try stream.reader()
    try reader.seek(0, after: Self.place(0))
    let read = try KafkaStream.rest(of: reader)
    #expect(read.map { String(decoding: $0.body, as: UTF8.self) } == ["first", "second"])
    #expect(read.allSatisfy { $0.key == Array("7".utf8) && $0.header("label") == Array("3".utf8) })
  }
}

enum Kcat {
  static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map {
    "\($0)/kcat"
  }
  .first { FileManager.default.isExecutableFile(atPath: $0) }
}

enum ResidentMemory {
  static var bytes: Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
    return (fields?.dropFirst().first.flatMap { Int($0) } ?? 0) * Int(getpagesize())
  }
}
