import CBrokers
import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Kafka out of reach and misused", .waitsForPrograms, .serialized,
  .enabled(if: KafkaLibrary.loaded != nil, "\(KafkaLibrary.reason)"))
struct KafkaFailureTests {
  let mock: KafkaMock
  let stream: KafkaStream

  init() throws {
    mock = try KafkaMock()
    mock.create("t")
    stream = KafkaStream(try mock.address("t"))
  }

  private func error(_ text: String, _ properties: [String: String] = [:]) throws -> OnePassError? {
    let stream = KafkaStream(try BrokerAddress(text), patience: 1.5, properties)
    return #expect(throws: OnePassError.self) { try stream.reader() }
  }

  @Test("A broker that goes away and returns is read on, without a gap or a double")
  func restart() throws {
    try stream.write(0..<10)
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    var read = try KafkaStream.rest(of: reader)
    mock.setDown(true)
    guard case .nothing = try reader.poll(0, seconds: 2.5) else {
      Issue.record("Without a broker the end is unknown.")
      return
    }
    mock.setDown(false)
    try stream.write(10..<20)
    read += try KafkaStream.take(10, from: reader)
    #expect(read.map(KafkaStream.number) == Array(0..<20))
  }

  @Test("A broker that stays away is an error after the patience")
  func lost() throws {
    try stream.write(0..<10)
    let reader = try KafkaStream(stream.address, patience: 2).reader()
    try reader.seek(0, after: nil)
    #expect(try KafkaStream.rest(of: reader).count == 10)
    mock.setDown(true)
    let start = ContinuousClock.now
    let error = #expect(throws: OnePassError.self) { try reader.poll(0, seconds: 9) }
    #expect(error?.code == .io)
    #expect(error?.message.contains("cannot be reached") == true)
    #expect(.now - start < .seconds(6))
  }

  @Test("A port without a server and an unknown host are errors after the patience")
  func absent() throws {
    let start = ContinuousClock.now
    let port = try error("kafka://127.0.0.1:\(Ranks.freePort())/t")
    #expect(port?.code == .io)
    #expect(port?.message.contains("refused") == true)
    #expect(try error("kafka://nowhere.invalid/t")?.code == .io)
    #expect(.now - start < .seconds(9))
  }

  @Test("Properties that places depend on are refused by name, and unknown and invalid ones")
  func properties() throws {
    let url = "kafka://u:canary@\(mock.servers)/t"
    for (name, value, words) in [
      ("group.id", "x", "group.id is determined by OnePass"),
      ("isolation.level", "read_uncommitted", "isolation.level"),
      ("no.such", "1", "kafka has no property no.such; use partitions, ca,"),
      ("socket.timeout.ms", "x", "socket.timeout.ms"),
      ("partitions", "0", "partitions must be from 1 to 2147483647 (got 0)"),
      ("partitions", "4294967297", "2147483647 (got 4294967297)"),
      ("ca", "/nowhere.pem", "librdkafka refuses"),
      ("sasl.mechanism", "NONE", "librdkafka refuses"),
    ] {
      let refused = try error(
        url.replacing("kafka:", with: name == "ca" ? "kafkas:" : "kafka:"), [name: value])
      #expect(refused?.code == .usage)
      #expect(refused?.message.contains(words) == true, "\(refused?.message ?? "")")
      #expect(refused?.message.contains("canary") == false)
    }
  }

  @Test(
    "A server is trusted only with the authority of its certificate",
    .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"))
  func certificate() throws {
    let folder = try TemporaryFolder()
    let server = try TLSServer(.right, sending: folder)
    let untrusted = try error("kafkas://127.0.0.1:\(server.port)/t")
    #expect(untrusted?.code == .denied)
    #expect(untrusted?.message.contains("certificate") == true)
    // It is trusted, but no broker.
    #expect(
      try error("kafkas://127.0.0.1:\(server.port)/t", ["ca": folder.file(TLSServer.authority)])?.code == .io)
  }

  @Test(
    "A server for another host is not trusted", .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"))
  func host() throws {
    let folder = try TemporaryFolder()
    let server = try TLSServer(.ofAnotherHost, sending: folder)
    let properties = ["ca": folder.file(TLSServer.authority)]
    #expect(try error("kafkas://127.0.0.1:\(server.port)/t", properties)?.code == .denied)
  }

  @Test("A user that the broker refuses is an error at once, without the password")
  func credentials() throws {
    let broker = try RefusingKafka()
    let start = ContinuousClock.now
    for (url, properties) in [
      ("kafka://me:canary@127.0.0.1:\(broker.port)/t", [:]),
      (
        "kafka://127.0.0.1:\(broker.port)/t", ["user": "me", "password": "canary", "sasl.mechanism": "PLAIN"]
      ),
    ] {
      let refused = try error(url, properties)
      #expect(refused?.code == .denied)
      #expect(refused?.message.contains("Invalid username or password") == true)
      #expect(refused?.message.contains("canary") == false)
    }
    #expect(broker.credentials.suffix(10).elementsEqual("\0me\0canary".utf8))
    #expect(.now - start < .seconds(3))
  }

  @Test("A message that the broker refuses is an error")
  func refused() throws {
    let writer = try stream.address.openWriter(stream.settings)
    // Produce requests; the message is too large for the topic.
    mock.fail(0, with: [10])
    let error = #expect(throws: OnePassError.self) {
      try writer.send(KafkaStream.message(1, size: 100))
      try writer.flush()
    }
    #expect(error?.code == .io)
    #expect(error?.message.contains("a message of 100 bytes was not accepted") == true)
    try writer.send(KafkaStream.message(2))
    try writer.flush()
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    #expect(try KafkaStream.rest(of: reader).map(KafkaStream.number) == [2])
  }

  @Test("A writer waits while its queue is full")
  func backpressure() throws {
    var small = stream
    (small.settings.fetchBytes, small.settings.messageBytes) = (1 << 20, 1 << 20)
    try small.write(0..<100, size: 200_000)
    let kept = try stream.reader().kept(0)
    #expect(kept.newest == BrokerOffset(99))
  }

  @Test("A message that is larger than the queue of a writer is sent") func largeMessage() throws {
    var small = stream
    (small.settings.fetchBytes, small.settings.messageBytes) = (1 << 20, 4 << 20)
    try small.write(0..<2, size: 3 << 20)
    #expect(try stream.reader().kept(0).newest == BrokerOffset(1))
  }

  @Test("A topic that may no longer be read is an error at once") func deniedFetch() throws {
    try stream.write(0..<3)
    let reader = try stream.reader()
    try reader.seek(0, after: nil)
    #expect(try KafkaStream.rest(of: reader).count == 3)
    // Fetch requests; the user lost the permission for the topic.
    mock.fail(1, with: [29])
    let error = #expect(throws: OnePassError.self) { try KafkaStream.take(1, from: reader, within: 3) }
    #expect(error?.code == .denied)
  }

  @Test("A writer whose broker went away says so, and loses no word about it")
  func writerLost() throws {
    let writer = try KafkaStream(stream.address, patience: 1.5).address.openWriter(
      KafkaStream(stream.address, patience: 1.5).settings)
    mock.setDown(true)
    let error = #expect(throws: OnePassError.self) {
      try writer.send(KafkaStream.message(1))
      try writer.flush()
    }
    #expect(error?.code == .io)
    mock.setDown(false)
  }
}
