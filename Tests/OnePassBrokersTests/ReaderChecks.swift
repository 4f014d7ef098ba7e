import Foundation
import OnePassBrokers
import OnePassCore
import TestSupport
import Testing

/// What all readers and writers do alike, given the URL of a stream that does not exist yet.
enum ReaderChecks {
  static func message(_ number: Int, bytes: Int = 20) -> BrokerMessage {
    var message = BrokerMessage(offset: BrokerOffset(0), body: noise(number, count: bytes))
    message.headers = [BrokerHeader("label", Array("\(number)".utf8))]
    return message
  }

  /// Writes messages, whose labels are their numbers.
  static func fill(
    _ url: String, _ numbers: Range<Int>, bytes: Int = 20, _ settings: BrokerSettings = .init()
  ) throws {
    let writer = try BrokerAddress(url).openWriter(settings)
    for number in numbers { try writer.send(message(number, bytes: bytes)) }
    try writer.flush()
    writer.close()
  }

  /// Reads a number of messages, or up to the end.
  static func take(_ count: Int = .max, from reader: any BrokerReader, seconds: Double = 9) throws
    -> [BrokerMessage]
  {
    var taken: [BrokerMessage] = []
    let deadline = ContinuousClock.now + .seconds(seconds)
    while taken.count < count, ContinuousClock.now < deadline {
      switch try reader.poll(0, seconds: 0.3) {
      case .messages(let messages): taken += messages
      case .end where count == .max: return taken
      case .end, .nothing: break
      }
    }
    return taken
  }

  static func labels(_ messages: [BrokerMessage]) -> [Int] {
    messages.compactMap { $0.header("label").flatMap { Int(String(decoding: $0, as: UTF8.self)) } }
  }

  /// Expects a lag, which is known a few seconds later.
  static func expectLag(
    _ expected: Int, after place: PartitionPlace?, of reader: any BrokerReader,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let deadline = ContinuousClock.now + .seconds(9)
    while reader.lag(after: place, in: 0) != expected, ContinuousClock.now < deadline {
      Thread.sleep(forTimeInterval: 0.01)
    }
    #expect(reader.lag(after: place, in: 0) == expected, sourceLocation: location)
  }

  static func place(_ message: BrokerMessage) -> PartitionPlace { PartitionPlace(message.offset) }

  /// Every message arrives once and in order, from the start and after each place.
  static func places(_ url: String) throws {
    try fill(url, 0..<40)
    let reader = try BrokerAddress(url).openReader(.init())
    defer { reader.close() }
    #expect(try reader.partitionCount() == 1)
    try reader.seek(0, after: nil)
    let all = try take(from: reader)
    #expect(labels(all) == Array(0..<40))
    #expect(all.map(\.body) == (0..<40).map { noise($0, count: 20) })
    #expect(all.map(\.offset) == all.map(\.offset).sorted())
    for last in [0, 17, 38, 39] {
      try reader.seek(0, after: place(all[last]))
      #expect(labels(try take(from: reader)) == Array((last + 1)..<40))
    }
    let kept = try reader.kept(0)
    #expect(kept.first == all[0].offset)
    #expect(kept.newest == all[39].offset)
    #expect(kept.lost(after: place(all[5])) == 0)
    #expect(reader.lag(after: place(all[39]), in: 0, waiting: 5) == 0)
    expectLag(9, after: place(all[30]), of: reader)
    expectLag(40, after: nil, of: reader)
    if case .end = try reader.poll(0, seconds: 0) {} else { Issue.record("not at the end") }
    try fill(url, 40..<45)
    #expect(labels(try take(5, from: reader)) == Array(40..<45))
  }

  /// Keys, names and values arrive as they were sent.
  static func contents(_ url: String, type: [UInt8]) throws {
    let bytes = (0...255).map { UInt8($0) }
    var sent = BrokerMessage(offset: BrokerOffset(0), body: bytes + [0, 13, 10])
    sent.key = bytes
    sent.headers = [
      BrokerHeader("a", bytes), BrokerHeader("b", Array("é %41 x".utf8)), BrokerHeader("c", []),
      BrokerHeader("content-type", type), BrokerHeader("d", Array(" padded ".utf8)),
    ]
    let writer = try BrokerAddress(url).openWriter(.init())
    try writer.send(sent)
    try writer.send(BrokerMessage(offset: BrokerOffset(0), body: []))
    try writer.flush()
    writer.close()
    let reader = try BrokerAddress(url).openReader(.init())
    defer { reader.close() }
    try reader.seek(0, after: nil)
    let taken = try take(2, from: reader)
    try #require(taken.count == 2)
    #expect(taken[0].body == sent.body)
    #expect(taken[0].key == sent.key)
    #expect(taken[0].headers.sorted { $0.name < $1.name } == sent.headers)
    #expect(taken[1].body == [] && taken[1].key == nil && taken[1].headers == [])
  }

  /// 200 messages of 1 MB arrive with memory for four, and a message beyond the limit is an error with its place.
  static func sizes(_ url: String) throws {
    var settings = BrokerSettings()
    settings.fetchBytes = 4_000_000
    let writer = try BrokerAddress(url).openWriter(settings)
    let body = noise(1, count: 1_000_000)
    for number in 0..<200 {
      var message = message(number, bytes: 0)
      message.body = body
      try writer.send(message)
    }
    try writer.flush()
    writer.close()
    let reader = try BrokerAddress(url).openReader(settings)
    defer { reader.close() }
    try reader.seek(0, after: nil)
    var next = 0
    while next < 200 {
      guard case .messages(let messages) = try reader.poll(0, seconds: 5) else { break }
      #expect(messages.count <= 2)
      for message in messages {
        #expect(labels([message]) == [next] && message.body == body)
        next += 1
      }
    }
    #expect(next == 200)
    settings.messageBytes = 999_999
    let strict = try BrokerAddress(url).openReader(settings)
    defer { strict.close() }
    try strict.seek(0, after: nil)
    let error = #expect(throws: OnePassError.self) { try strict.poll(0, seconds: 5) }
    #expect(error?.code == .badData)
    #expect(error?.message.contains("999999 are allowed") == true)
  }

  /// Each failure at the opening has its code, and no message has the password.
  static func refusals(_ server: String, scheme: String) throws {
    func code(_ url: String, _ settings: BrokerSettings = .init()) -> OnePassError.Code? {
      let error = #expect(throws: OnePassError.self) { try BrokerAddress(url).openReader(settings).close() }
      #expect(error?.message.contains("canary") == false)
      return error?.code
    }
    #expect(code("\(scheme)://me:canary@\(server)/photos") == .denied)
    let port = try Ranks.freePort()
    let start = ContinuousClock.now
    #expect(code("\(scheme)://127.0.0.1:\(port)/photos") == .io)
    #expect(ContinuousClock.now - start < .seconds(10))
    var settings = BrokerSettings()
    settings.properties = ["colour": "red"]
    #expect(code("\(scheme)://\(server)/photos", settings) == .usage)
  }
}
