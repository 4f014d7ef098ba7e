import BrokerServers
import CBrokers
import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Streams of RabbitMQ", .waitsForPrograms, .serialized,
  .enabled(if: RabbitServer.isUsable, "\(RabbitServer.reason)"))
struct AMQPTests {
  /// RabbitMQ takes ten seconds to start, so the tests share a server, with a queue each.
  private static let shared = Shared<Int, RabbitServer>()
  private let server: RabbitServer

  init() throws { server = try Self.shared.value(for: 0) { try RabbitServer() } }

  private func url(_ test: String = #function) -> String {
    let name = test.prefix { $0 != "(" }
    return server.url("\(name)-\(UInt32.random(in: 0 ... .max))")
  }

  private func reader(_ url: String, after last: UInt64? = nil, _ settings: BrokerSettings = .init()) throws
    -> any BrokerReader
  {
    let reader = try BrokerAddress(url).openReader(settings)
    try reader.seek(0, after: last.map { PartitionPlace(BrokerOffset($0)) })
    return reader
  }

  private func error(_ reader: any BrokerReader, polls: Int = 30) -> OnePassError? {
    #expect(throws: OnePassError.self) {
      for _ in 0..<polls { _ = try reader.poll(0, seconds: 0.3) }
    }
  }

  private func connection(_ url: String) throws -> AMQPConnection {
    let address = try BrokerAddress(url)
    return try AMQPConnection(address, ConnectionProperties(address, .init()))
  }

  /// Deletes a queue by another client than the reader's.
  private func delete(_ url: String) throws {
    let connection = try connection(url)
    try AMQPConsumer.withBytes(connection.address.stream) {
      typealias Delete =
        @convention(c) (UnsafeMutableRawPointer, UInt16, CBAMQPBytes, Int32, Int32) ->
        UnsafeMutableRawPointer?
      let delete = unsafeBitCast(
        dlsym(dlopen("librabbitmq.so.4", RTLD_NOW), "amqp_queue_delete"), to: Delete.self)
      _ = delete(connection.pointer, AMQPConnection.channel, $0, 0, 0)
      try connection.check()
    }
  }

  @Test("Messages arrive once and in order, from the start and after each place") func places() throws {
    try ReaderChecks.places(url())
  }

  @Test("Keys and headers of any bytes arrive as they were sent") func contents() throws {
    try ReaderChecks.contents(url(), type: Array("image/png".utf8))
  }

  @Test("200 messages of 1 MB arrive with memory for four, and a limit of messages holds") func sizes() throws
  {
    try ReaderChecks.sizes(url())
  }

  @Test("Wrong credentials, an unreachable server, an unknown queue and an unknown property have their codes")
  func refusals() throws {
    try ReaderChecks.refusals("127.0.0.1:\(server.port)", scheme: "amqp")
    let unknown = #expect(throws: OnePassError.self) { try reader(url()) }
    #expect(unknown?.code == .notFound)
  }

  @Test("An empty stream has no messages") func emptyStream() throws {
    let url = url()
    try BrokerAddress(url).openWriter(.init()).close()
    let reader = try reader(url)
    defer { reader.close() }
    #expect(try reader.kept(0).first == nil)
    #expect(try reader.kept(0).newest == nil)
    if case .end = try reader.poll(0, seconds: 0) {} else { Issue.record("not at the end") }
  }

  @Test("Segments that retention has dropped before they were read are an error with the number of messages")
  func retention() throws {
    let url = url()
    var settings = BrokerSettings()
    settings.properties = ["x-max-length-bytes": "1000000", "x-stream-max-segment-size-bytes": "300000"]
    try ReaderChecks.fill(url, 0..<50, bytes: 1_000, settings)
    let reader = try reader(url)
    defer { reader.close() }
    let place = ReaderChecks.place(try #require(try ReaderChecks.take(1, from: reader).first))
    #expect(try reader.kept(0).lost(after: place) == 0)
    // Segments are dropped when a new one is started.
    for part in 0..<20 {
      try ReaderChecks.fill(url, (50 + 200 * part)..<(250 + 200 * part), bytes: 1_000, settings)
    }
    let kept = try reader.kept(0)
    let first = try #require(kept.first)
    #expect(first.major > 100)
    let lost = try #require(kept.lost(after: place))
    #expect(lost == Int(first.major) - Int(place.last.major) - 1)
    try reader.seek(0, after: place)
    let error = error(reader)
    #expect(error?.code == .badData)
    #expect(error?.message.contains("\(lost) messages after \(place.last) were removed") == true)
    // From the first one on, the offsets between segments that RabbitMQ uses itself are no losses.
    try reader.seek(0, after: PartitionPlace(BrokerOffset(first.major - 1)))
    let labels = ReaderChecks.labels(try ReaderChecks.take(from: reader))
    let start = try #require(labels.first)
    #expect(labels == Array(start..<4_050))
  }

  @Test("A queue that is deleted, or made again, while it is read is an error", arguments: [false, true])
  func deletedQueue(isMadeAgain: Bool) throws {
    let url = url()
    try ReaderChecks.fill(url, 0..<10)
    let reader = try reader(url)
    #expect(try ReaderChecks.take(from: reader).count == 10)
    try delete(url)
    if isMadeAgain { try ReaderChecks.fill(url, 0..<20) }
    let error = error(reader)
    #expect(error?.code == .io)
    #expect(error?.message.contains("was deleted while it was read") == true)
  }

  @Test("A reader that is not polled for longer than the heartbeats loses and repeats nothing")
  func stalledReader() throws {
    let url = url()
    try ReaderChecks.fill(url, 0..<2_000, bytes: 2_000)
    var settings = BrokerSettings()
    settings.fetchBytes = 100_000
    let reader = try AMQPReader(BrokerAddress(url), settings, heartbeat: 1)
    defer { reader.close() }
    try reader.seek(0, after: nil)
    var taken = try ReaderChecks.take(500, from: reader)
    Thread.sleep(forTimeInterval: 4)
    taken += try ReaderChecks.take(2_000 - taken.count, from: reader)
    #expect(ReaderChecks.labels(taken) == Array(0..<2_000))
  }

  @Test("A reader that waits has acknowledged what it received, which the server requires") func idleReader()
    throws
  {
    let url = url()
    try ReaderChecks.fill(url, 0..<10)
    let reader = try reader(url)
    defer { reader.close() }
    let before = try server.count("delivery acknowledgement on channel 1 timed out")
    #expect(try ReaderChecks.take(11, from: reader, seconds: 4).count == 10)
    #expect(try server.count("delivery acknowledgement on channel 1 timed out") == before)
  }

  @Test("Inquiries share a connection, which ends by the protocol") func inquiries() throws {
    let url = url()
    try ReaderChecks.fill(url, 0..<10)
    let reader = try reader(url)
    #expect(try reader.partitionCount() == 1)
    let logins = try server.count("authenticated")
    let closed = try server.count("client unexpectedly closed TCP connection")
    for _ in 0..<3 {
      #expect(try reader.partitionCount() == 1)
      #expect(try reader.kept(0).newest == BrokerOffset(9))
    }
    #expect(try server.count("authenticated") == logins)
    reader.close()
    Thread.sleep(forTimeInterval: 0.2)
    #expect(try server.count("client unexpectedly closed TCP connection") == closed)
  }

  @Test("Queues that are not streams are refused") func otherQueues() throws {
    let url = url()
    let connection = try connection(url)
    try AMQPConsumer.withBytes(connection.address.stream) {
      _ = connection.library.pointee.amqp_queue_declare(
        connection.pointer, AMQPConnection.channel, $0, 0, 1, 0, 0, CBAMQPTable())
      try connection.check()
    }
    let error = #expect(throws: OnePassError.self) { try BrokerAddress(url).openWriter(.init()) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("the queue is not a stream") == true)
  }

  @Test("A certificate is required and checked, and its host too") func certificates() throws {
    let name = try BrokerAddress(url()).stream
    let secure = "amqps://localhost:\(server.securePort)/\(name)"
    var settings = BrokerSettings()
    settings.properties = ["ca": server.folder.file("certificate.pem")]
    try ReaderChecks.fill(secure, 0..<3, settings)
    let reader = try reader(secure, settings)
    #expect(ReaderChecks.labels(try ReaderChecks.take(from: reader)) == [0, 1, 2])
    let wrong: [(String, [String: String])] = [("localhost", [:]), ("127.0.0.1", settings.properties)]
    for (host, properties) in wrong {
      settings.properties = properties
      let error = #expect(throws: OnePassError.self) {
        try BrokerAddress("amqps://\(host):\(server.securePort)/\(name)").openReader(settings)
      }
      #expect(error?.code == .denied, "\(host)")
    }
  }

  @Test(
    "Numbers and Booleans of pika's headers become text",
    .enabled(if: ForeignClients.has("pika"), "There is no pika; scripts/brokers installs it."))
  func foreignProducer() throws {
    let url = url()
    let outcome = try ForeignClients.run(
      """
      import pika, sys
      parameters = pika.ConnectionParameters("127.0.0.1", int(sys.argv[1]))
      connection = pika.BlockingConnection(parameters)
      channel = connection.channel()
      channel.queue_declare(sys.argv[2], durable=True, arguments={"x-queue-type": "stream"})
      channel.confirm_delivery()
      for i in range(5):
          headers = {"label": i, "large": 2 ** 40, "flag": True, "name": "é", "bytes": b"\\0\\xff", "none": None}
          channel.basic_publish("", sys.argv[2], bytes([0, 255, i]), pika.BasicProperties(headers=headers))
      connection.close()
      """, ["\(server.port)", BrokerAddress(url).stream])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let reader = try reader(url)
    defer { reader.close() }
    let taken = try ReaderChecks.take(5, from: reader)
    #expect(taken.map(\.body) == (0..<5).map { [0, 255, UInt8($0)] })
    #expect(ReaderChecks.labels(taken) == Array(0..<5))
    let first = try #require(taken.first)
    #expect(first.header("large") == Array("1099511627776".utf8))
    #expect(first.header("flag") == Array("true".utf8))
    #expect(first.header("name") == Array("é".utf8))
    #expect(first.header("bytes") == [0, 255])
    #expect(first.header("none") == [])
  }

  @Test("After a restart of the server nothing is lost or repeated, and another stream is recognised")
  func restart() throws {
    let url = url()
    try ReaderChecks.fill(url, 0..<3_000, bytes: 2_000)
    var settings = BrokerSettings()
    settings.fetchBytes = 100_000
    let reader = try reader(url, settings)
    defer { reader.close() }
    let other = self.url("replaced")
    try ReaderChecks.fill(other, 0..<10)
    let replaced = try self.reader(other)
    #expect(try ReaderChecks.take(10, from: replaced).count == 10)
    var taken = try ReaderChecks.take(1_000, from: reader)
    server.end("TERM")
    if case .messages(let messages) = try reader.poll(0, seconds: 0.1) { taken += messages }
    try server.start()
    taken += try ReaderChecks.take(3_000 - taken.count, from: reader)
    #expect(ReaderChecks.labels(taken) == Array(0..<3_000))
    try ReaderChecks.fill(url, 3_000..<3_005)
    #expect(ReaderChecks.labels(try ReaderChecks.take(5, from: reader)) == Array(3_000..<3_005))
    // Nothing has notified a reader whose connection was lost.
    try delete(other)
    try ReaderChecks.fill(other, 100..<120)
    let error = error(replaced)
    #expect(error?.code == .badData)
    #expect(error?.message.contains("the message at 9 is not the one that was read") == true)
  }
}
