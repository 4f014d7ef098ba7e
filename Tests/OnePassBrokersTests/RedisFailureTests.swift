import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassBrokers

@Suite(
  "Failures of Redis streams", .waitsForPrograms,
  .enabled(if: RedisServer.isInstalled, Comment(rawValue: RedisServer.reason)))
struct RedisFailureTests {
  private func reader(_ server: RedisServer, _ settings: BrokerSettings = .init()) throws -> any BrokerReader
  {
    let reader = try BrokerAddress(server.url("s")).openReader(settings)
    try reader.seek(0, after: nil)
    return reader
  }

  /// Reads until an error.
  private func end(of reader: any BrokerReader) -> (count: Int, error: OnePassError?) {
    var count = 0
    let error = #expect(throws: OnePassError.self) {
      for _ in 0..<3_000 {
        if case .messages(let messages) = try reader.poll(0, seconds: 0.2) { count += messages.count }
      }
    }
    return (count, error)
  }

  /// The number of lost messages that an error states.
  private func lost(_ error: OnePassError?) -> Int? {
    error?.message.split(separator: ": ").last?.split(separator: " ").first.flatMap { Int($0) }
  }

  @Test(
    "Entries that are trimmed before a reader arrives are an error with their number", arguments: [0, 1.1])
  func trimmed(pause: Double) throws {
    let server = try RedisServer()
    try ReaderChecks.fill(server.url("s"), 0..<2_000)
    var settings = BrokerSettings()
    settings.fetchBytes = 2_000
    let reader = try reader(server, settings)
    let first = try ReaderChecks.take(50, from: reader)
    try server.cli(["XTRIM", "s", "MAXLEN", "10"])
    // Later, the reader finds the loss before it reads the rest.
    Thread.sleep(forTimeInterval: pause)
    let (count, error) = end(of: reader)
    #expect(error?.code == .badData)
    let sum = first.count + count + (lost(error) ?? 0)
    #expect(pause > 0 ? sum == 1_990 : [1_990, 2_000].contains(sum))
  }

  @Test("Entries that XDEL removed between others are no losses, and the count is correct again at the end")
  func deletedBetween() throws {
    let server = try RedisServer()
    try ReaderChecks.fill(server.url("s"), 0..<20)
    let reader = try reader(server)
    let all = try ReaderChecks.take(20, from: reader)
    try server.cli(["XDEL", "s", "\(all[5].offset)", "\(all[12].offset)"])
    try reader.seek(0, after: PartitionPlace(all[2].offset, index: 3))
    #expect(try ReaderChecks.take(15, from: reader).count == 15)
    // The state of the stream is read once a second.
    for _ in 0..<9 { _ = try reader.poll(0, seconds: 0.2) }
    try ReaderChecks.fill(server.url("s"), 20..<21)
    let last = try #require(try ReaderChecks.take(1, from: reader).first)
    #expect(last.index == 21)
    ReaderChecks.expectLag(0, after: PartitionPlace(last.offset, index: last.index), of: reader)
    // Then the deleted ones are trimmed too.
    try server.cli(["XTRIM", "s", "MAXLEN", "1"])
    for _ in 0..<9 { _ = try reader.poll(0, seconds: 0.2) }
  }

  @Test("A stream that was made again is recognised by its number of entries") func recreated() throws {
    let server = try RedisServer()
    try ReaderChecks.fill(server.url("s"), 0..<10)
    let reader = try reader(server)
    #expect(try ReaderChecks.take(10, from: reader).count == 10)
    try server.cli(["DEL", "s"])
    try ReaderChecks.fill(server.url("s"), 0..<20)
    let error = end(of: reader).error
    #expect(error?.code == .badData)
    #expect(error?.message.contains("is not the one that was read") == true)
  }

  @Test("A server that stays away is an error after the patience") func patience() throws {
    let server = try RedisServer()
    try ReaderChecks.fill(server.url("s"), 0..<3)
    var settings = BrokerSettings()
    settings.patience = 1
    let reader = try reader(server, settings)
    #expect(try ReaderChecks.take(3, from: reader).count == 3)
    server.kill()
    let start = ContinuousClock.now
    let error = #expect(throws: OnePassError.self) {
      for _ in 0..<30 { _ = try reader.poll(0, seconds: 0.2) }
    }
    #expect(error?.code == .io)
    #expect(.now - start > .seconds(0.9))
    #expect(.now - start < .seconds(3))
  }

  @Test("A server that does not know AUTH repeats the password, which is in no message") func unknownCommand()
    throws
  {
    let server = try RedisServer(options: ["--rename-command", "AUTH", ""])
    let error = #expect(throws: OnePassError.self) {
      try BrokerAddress("redis://:canary@127.0.0.1:\(server.port)/s").openReader(.init())
    }
    #expect(error?.message.contains("unknown command") == true)
    #expect(error?.message.contains("canary") == false)
  }
}
