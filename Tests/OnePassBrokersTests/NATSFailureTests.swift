import BrokerServers
import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Failures of NATS JetStream", .waitsForPrograms,
  .enabled(if: NATSServer.isUsable, "\(NATSServer.reason)"))
struct NATSFailureTests {
  private func error(_ reader: any BrokerReader, polls: Int = 20) -> OnePassError? {
    #expect(throws: OnePassError.self) {
      for _ in 0..<polls { _ = try reader.poll(0, seconds: 0.3) }
    }
  }

  @Test(
    "Wrong credentials, an unreachable server, an unknown stream and an unknown property have their codes")
  func refusals() throws {
    let server = try NATSServer("authorization { user: me, password: right }")
    defer { server.end() }
    try ReaderChecks.refusals("127.0.0.1:\(server.port)", scheme: "nats")
    let unknown = #expect(throws: OnePassError.self) {
      try BrokerAddress("nats://me:right@127.0.0.1:\(server.port)/photos").openReader(.init())
    }
    #expect(unknown?.code == .notFound)
    let invalid = #expect(throws: OnePassError.self) {
      try BrokerAddress("nats://127.0.0.1:\(server.port)/a.b").openReader(.init())
    }
    #expect(invalid?.code == .usage)
  }

  @Test("Messages that were purged before they were read are an error with their number") func purge() throws
  {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<10)
    let reader = try server.reader(after: 2)
    defer { reader.close() }
    try server.api("STREAM.PURGE.photos", "{\"seq\":9}")
    #expect(try reader.kept(0).lost(after: PartitionPlace(BrokerOffset(2))) == 6)
    let error = error(reader)
    #expect(error?.code == .badData)
    #expect(error?.message.contains("6 messages after 2 were removed") == true)
    try reader.seek(0, after: PartitionPlace(BrokerOffset(8)))
    #expect(ReaderChecks.labels(try ReaderChecks.take(from: reader)) == [8, 9])
    try server.api("STREAM.PURGE.photos")
    #expect(try reader.kept(0).first == nil)
    #expect(try reader.kept(0).newest == BrokerOffset(10))
    #expect(try reader.kept(0).lost(after: PartitionPlace(BrokerOffset(7))) == 3)
    #expect(try reader.kept(0).lost(after: PartitionPlace(BrokerOffset(10))) == 0)
  }

  @Test("A server that stays away is an error after the patience") func patience() throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<3)
    var settings = BrokerSettings()
    settings.patience = 1
    let reader = try server.reader(settings)
    #expect(try ReaderChecks.take(from: reader).count == 3)
    server.end()
    #expect(error(reader)?.code == .io)
  }

  @Test("A stream that is deleted, or made again, while it is read is an error", arguments: [false, true])
  func deletedStream(isMadeAgain: Bool) throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<10)
    let reader = try server.reader()
    #expect(try ReaderChecks.take(from: reader).count == 10)
    try server.api("STREAM.DELETE.photos")
    if isMadeAgain { try ReaderChecks.fill(server.url("photos"), 0..<20) }
    let error = error(reader)
    #expect(error?.code == .io)
    #expect(error?.message.contains("was deleted while it was read") == true)
    #expect(throws: OnePassError.self) { try reader.partitionCount() }
  }

  @Test("A server that came back without its last messages is an error", arguments: [0, 5])
  func restoredStore(added: Int) throws {
    let server = try NATSServer()
    defer { server.end() }
    try ReaderChecks.fill(server.url("photos"), 0..<5)
    try server.copyStore(isRestored: false)
    try ReaderChecks.fill(server.url("photos"), 5..<10)
    let reader = try server.reader()
    #expect(try ReaderChecks.take(from: reader).count == 10)
    try server.copyStore(isRestored: true)
    try ReaderChecks.fill(server.url("photos"), 100..<(100 + added))
    let error = error(reader)
    #expect(error?.code == .badData)
    #expect(
      error?.message.contains(added == 0 ? "the stream ends at 5, before 10" : "at 10 is not the one") == true
    )
  }

  @Test("A stream that removes what is consumed is refused", arguments: ["interest", "workqueue"])
  func retention(_ retention: String) throws {
    let server = try NATSServer()
    defer { server.end() }
    try server.api(
      "STREAM.CREATE.photos", #"{"name":"photos","subjects":["photos"],"retention":"\#(retention)"}"#)
    let error = #expect(throws: OnePassError.self) { try server.reader() }
    #expect(error?.code == .usage)
    #expect(error?.message.contains("(retention \(retention))") == true)
  }

  @Test("A server without JetStream is an error that says so") func noJetStream() throws {
    let server = try NATSServer(hasJetStream: false)
    defer { server.end() }
    var settings = BrokerSettings()
    settings.patience = 0.2
    let error = #expect(throws: OnePassError.self) { try server.reader(settings) }
    #expect(error?.message.contains("JetStream does not answer; is it enabled?") == true)
  }

  @Test("After a request without an answer, a connection takes no other") func missedAnswer() throws {
    let server = try NATSServer()
    defer { server.end() }
    let address = try BrokerAddress(server.url("photos"))
    let properties = try ConnectionProperties(address, .init())
    let (asking, silent) = (
      try NATSConnection(address, properties, name: "a"), try NATSConnection(address, properties, name: "b")
    )
    let subject = try silent.subscribe().inbox
    // The server has the subscription once it has answered.
    _ = try silent.request("$JS.API.INFO", [])
    #expect(throws: ConnectionLost.self) { try asking.request(subject, [], seconds: 0.1) }
    let refused = #expect(throws: ConnectionLost.self) { try asking.request("$JS.API.INFO", []) }
    #expect(refused?.reason == "an answer is missing")
  }

  @Test("A writer reports that its stream was deleted") func writerOfDeletedStream() throws {
    let server = try NATSServer()
    defer { server.end() }
    let writer = try BrokerAddress(server.url("photos")).openWriter(.init())
    try server.api("STREAM.DELETE.photos")
    let error = #expect(throws: OnePassError.self) {
      try writer.send(ReaderChecks.message(0))
      try writer.flush()
    }
    #expect(error?.message.contains("the stream was deleted") == true, "\(error?.message ?? "")")
  }

  @Test("A message beyond the server's limit is refused, and the writer writes on") func refusedMessage()
    throws
  {
    let server = try NATSServer()
    defer { server.end() }
    let writer = try BrokerAddress(server.url("photos")).openWriter(.init())
    let error = #expect(throws: OnePassError.self) {
      try writer.send(ReaderChecks.message(0, bytes: 9 << 20))
    }
    #expect(error?.message.contains("max_payload") == true)
    try writer.send(ReaderChecks.message(1))
    try writer.flush()
  }

  @Test(
    "A certificate is required and checked, and its host too",
    .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"))
  func certificates() throws {
    let folder = try TemporaryFolder()
    try TestServer.makeCertificate(in: folder)
    let (certificate, key) = (folder.file("certificate.pem"), folder.file("key.pem"))
    let server = try NATSServer("tls { cert_file: \"\(certificate)\", key_file: \"\(key)\" }", in: folder)
    defer { server.end() }
    var settings = BrokerSettings()
    settings.properties = ["ca": certificate]
    try ReaderChecks.fill("natss://localhost:\(server.port)/photos", 0..<3, settings)
    let reader = try BrokerAddress("natss://localhost:\(server.port)/photos").openReader(settings)
    try reader.seek(0, after: nil)
    #expect(ReaderChecks.labels(try ReaderChecks.take(from: reader)) == [0, 1, 2])
    let wrong: [(String, [String: String])] = [("localhost", [:]), ("127.0.0.1", settings.properties)]
    for (host, properties) in wrong {
      settings.properties = properties
      let error = #expect(throws: OnePassError.self) {
        try BrokerAddress("natss://\(host):\(server.port)/photos").openReader(settings)
      }
      #expect(error?.code == .denied, "\(host)")
    }
    settings.properties = ["ca": folder.file("missing.pem")]
    let error = #expect(throws: OnePassError.self) {
      try BrokerAddress("natss://localhost:\(server.port)/photos").openReader(settings)
    }
    #expect(error?.code == .usage)
  }
}
