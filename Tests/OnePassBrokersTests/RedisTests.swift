import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Redis streams", .waitsForPrograms,
  .enabled(if: RedisServer.isInstalled, Comment(rawValue: RedisServer.reason)))
struct RedisTests {
  private func fill(_ address: BrokerAddress, _ range: Range<Int>, bytes: Int = 3) throws {
    let writer = try address.openWriter(BrokerSettings())
    for index in range {
      var message = BrokerMessage(
        offset: BrokerOffset(0),
        body: bytes > 100 ? Array(repeating: UInt8(index % 256), count: bytes) : noise(index, count: bytes))
      message.key = [0, 255, 13, 10]
      message.headers = [BrokerHeader("label", Array("\(index)".utf8)), BrokerHeader("raw", [0, 1, 254])]
      try writer.send(message)
    }
    try writer.flush()
  }

  private func read(_ reader: any BrokerReader, _ count: Int) throws -> [BrokerMessage] {
    var messages: [BrokerMessage] = []
    let end = Date(timeIntervalSinceNow: 10)
    while messages.count < count, Date() < end {
      if case .messages(let more) = try reader.poll(0, seconds: 0.2) { messages += more }
    }
    return messages
  }

  private func labels(_ messages: [BrokerMessage]) -> [Int] {
    messages.compactMap { $0.header("label").flatMap { Int(String(decoding: $0, as: UTF8.self)) } }
  }

  @Test("Entries arrive in order with body, key and headers as they were written")
  func roundTrip() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<3_000)
    let reader = try address.openReader(BrokerSettings())
    try reader.seek(0, after: nil)
    let messages = try read(reader, 3_000)
    #expect(labels(messages) == Array(0..<3_000))
    #expect(messages[7].body == noise(7, count: 3))
    #expect(messages[7].key == [0, 255, 13, 10])
    #expect(messages[7].header("raw") == [0, 1, 254])
    #expect(messages.map(\.index) == Array(1...3_000))
    guard case .end = try reader.poll(0, seconds: 0) else {
      Issue.record("The end was not reported.")
      return
    }
  }

  @Test("Reading resumes after any place")
  func seek() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<50)
    let reader = try address.openReader(BrokerSettings())
    try reader.seek(0, after: nil)
    let all = try read(reader, 50)
    for place in [0, 1, 31, 48] {
      try reader.seek(0, after: PartitionPlace(all[place].offset, index: all[place].index))
      #expect(labels(try read(reader, 49 - place)) == Array(place + 1..<50))
    }
  }

  @Test("The memory of fetched entries is bounded, also of large ones after small ones")
  func bounded() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<1_500)
    try fill(address, 1_500..<1_560, bytes: 1 << 20)
    var settings = BrokerSettings()
    settings.fetchBytes = 4 << 20
    let reader = try address.openReader(settings)
    try reader.seek(0, after: nil)
    var (count, most) = (0, 0)
    while count < 1_560 {
      guard case .messages(let messages) = try reader.poll(0, seconds: 5) else { break }
      count += messages.count
      most = max(most, messages.reduce(0) { $0 + $1.byteCount })
    }
    #expect(count == 1_560)
    #expect(most <= 4 << 20)
  }

  @Test("A restarted server is read on, without a gap and without a double")
  func restart() throws {
    let server = try RedisServer(isDurable: true)
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<40)
    var settings = BrokerSettings()
    settings.fetchBytes = 64
    let reader = try address.openReader(settings)
    try reader.seek(0, after: nil)
    var messages: [BrokerMessage] = []
    for _ in 0..<5 {
      if case .messages(let more) = try reader.poll(0, seconds: 1) { messages += more }
    }
    server.kill()
    guard case .nothing = try reader.poll(0, seconds: 0.1) else {
      // What had been fetched before.
      try server.start()
      messages += try read(reader, 40 - messages.count)
      return
    }
    try server.start()
    try fill(address, 40..<60)
    messages += try read(reader, 60 - messages.count)
    #expect(labels(messages) == Array(0..<60))
  }

  @Test("Trimmed entries that were read are no loss; those that were not are counted")
  func trimmed() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<100)
    let reader = try address.openReader(BrokerSettings())
    try reader.seek(0, after: nil)
    let all = try read(reader, 100)
    let place = PartitionPlace(all[59].offset, index: all[59].index)
    try server.cli(["XTRIM", "s", "MAXLEN", "40"])
    #expect(try reader.kept(0).lost(after: place) == 0)
    try server.cli(["XTRIM", "s", "MAXLEN", "33"])
    #expect(try reader.kept(0).lost(after: place) == 7)
    // A new reader counts from what is left.
    let late = try address.openReader(BrokerSettings())
    try late.seek(0, after: nil)
    #expect(try read(late, 33).last?.index == 100)
  }

  @Test("Entries that XDEL removed are neither delivered nor lost")
  func deleted() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<20)
    let reader = try address.openReader(BrokerSettings())
    try reader.seek(0, after: nil)
    let all = try read(reader, 20)
    try server.cli(["XDEL", "s", "\(all[5].offset)", "\(all[12].offset)"])
    let place = PartitionPlace(all[3].offset, index: all[3].index)
    #expect(try reader.kept(0).lost(after: place) ?? 0 == 0)
    try reader.seek(0, after: place)
    #expect(labels(try read(reader, 14)) == Array(4..<20).filter { $0 != 5 && $0 != 12 })
  }

  @Test("A stream that was deleted and filled again is an error while it is read")
  func recreated() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try server.cli(["XADD", "s", "9999999999999-0", "body", "x"])
    let reader = try address.openReader(BrokerSettings())
    try reader.seek(0, after: nil)
    _ = try read(reader, 1)
    try server.cli(["DEL", "s"])
    let gone = #expect(throws: OnePassError.self) {
      for _ in 0..<8 { _ = try reader.poll(0, seconds: 0.5) }
    }
    #expect(
      gone?.message
        == "\(address): the stream was deleted while it was read; restore it, and continue with --resume.")
    try server.cli(["XADD", "s", "5-0", "body", "x"])
    try reader.seek(0, after: PartitionPlace(BrokerOffset(9_999_999_999_999, 0), index: 1))
    let error = #expect(throws: OnePassError.self) {
      for _ in 0..<8 { _ = try reader.poll(0, seconds: 0.5) }
    }
    #expect(error?.message.hasPrefix("\(address): the stream ends at 5-0, before 9999999999999-0") == true)
  }

  @Test("Lag and the confirmed place are those of the broker's own tools")
  func lag() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<30)
    let reader = try address.openReader(BrokerSettings())
    try reader.seek(0, after: nil)
    let all = try read(reader, 30)
    let place = PartitionPlace(all[11].offset, index: all[11].index)
    ReaderChecks.expectLag(18, after: place, of: reader)
    #expect(reader.confirm([place]) == nil)
    try server.cli(["XGROUP", "DESTROY", "s", "onepass"])
    #expect(reader.confirm([place]) == nil)
    let groups = try server.cli(["XINFO", "GROUPS", "s"]).split(separator: "\n").map(String.init)
    #expect(groups.firstIndex(of: "lag").map { groups[$0 + 1] } == "18")
    #expect(groups.firstIndex(of: "last-delivered-id").map { groups[$0 + 1] } == "\(all[11].offset)")
  }

  @Test("Every refusal is one clear message with its exit status")
  func refused() throws {
    let server = try RedisServer(password: "right")
    try server.cli(["SET", "text", "x"])
    func error(_ text: String, _ properties: [String: String] = [:]) throws -> OnePassError? {
      var settings = BrokerSettings()
      settings.properties = properties
      return #expect(throws: OnePassError.self) {
        _ = try BrokerAddress(text).openReader(settings)
      }
    }
    let host = "127.0.0.1:\(server.port)"
    #expect(try error("redis://\(host)/s")?.code == .denied)
    let wrong = try error("redis://:canary@\(host)/s")
    #expect(wrong?.code == .denied)
    #expect(wrong?.message.contains("canary") == false)
    #expect(try error("redis://:right@\(host)/s")?.code == .notFound)
    #expect(try error("redis://\(host)/text", ["password": "right"])?.code == .notFound)
    #expect(try error("redis://\(host)/s", ["pasword": "right"])?.code == .usage)
    #expect(try error("redis://:right@\(host)/s", ["key": "key.pem"])?.code == .usage)
    #expect(try error("redis://unknown@\(host)/s")?.code == .denied)
    let port = try Ranks.freePort()
    #expect(
      try error("redis://127.0.0.1:\(port)/s")?.message
        == "redis://127.0.0.1:\(port)/s: cannot be reached (Connection refused); check the server and the network."
    )
  }

  @Test("A message above the limit is an error with its place")
  func limit() throws {
    let server = try RedisServer()
    let address = try BrokerAddress(server.url("s"))
    try fill(address, 0..<2)
    try fill(address, 2..<3, bytes: 5_000)
    var settings = BrokerSettings()
    settings.messageBytes = 4_000
    let reader = try address.openReader(settings)
    try reader.seek(0, after: nil)
    var count = 0
    let error = #expect(throws: OnePassError.self) {
      while case .messages(let messages) = try reader.poll(0, seconds: 1) { count += messages.count }
    }
    #expect(count == 2)
    #expect(error?.code == .badData)
    #expect(error?.message.contains("at most 4000 are allowed") == true)
  }

  @Test(
    "With TLS, the certificate of the server is checked",
    .enabled(if: TLSServer.openssl != nil, Comment(rawValue: TLSServer.reason)))
  func tls() throws {
    let folder = try TemporaryFolder()
    _ = try TLSServer(.right, sending: folder)
    let server = try RedisServer(tls: folder)
    let address = try BrokerAddress("rediss://127.0.0.1:\(server.port)/s")
    var settings = BrokerSettings()
    settings.properties["ca"] = folder.file(TLSServer.authority)
    var writer: (any BrokerWriter)?
    for _ in 0..<100 where writer == nil {
      writer = try? address.openWriter(settings)
      if writer == nil { Thread.sleep(forTimeInterval: 0.02) }
    }
    try writer?.send(BrokerMessage(offset: BrokerOffset(0), body: [1, 2]))
    try writer?.flush()
    let reader = try address.openReader(settings)
    try reader.seek(0, after: nil)
    #expect(try read(reader, 1).first?.body == [1, 2])
    let untrusted = #expect(throws: OnePassError.self) { _ = try address.openReader(BrokerSettings()) }
    #expect(untrusted?.code == .denied)
  }
}
