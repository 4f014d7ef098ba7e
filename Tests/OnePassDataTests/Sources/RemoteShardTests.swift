import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

/// Shards from a real server on loopback, with the failures of real servers.
@Suite("Shards from a server") struct RemoteShardTests {
  static let shard = tarBytes(
    tarSamples(30) { number in (0..<1_000).map { UInt8(truncatingIfNeeded: $0 * 7 + number) } })
  static let tag = ["ETag": "\"one\""]
  static let signature = "X-Signature=s3cr3t"

  private func open(
    _ address: String, idle: Double = 5, attempts: Int = 4, overall: Double = 20
  ) throws -> WebDatasetSource {
    let limits = HTTPLimits(
      idle: idle, attempts: attempts, overall: overall, firstPause: 0.01, longestPause: 0.02, redirects: 3)
    return try WebDatasetSource(
      SourceRequest(
        specification: "wds:\(address)", argument: address, seed: 0, classNames: nil, subjectKey: nil),
      http: limits)
  }

  /// Answers as a server that supports ranges, with at most `most` bytes before the connection breaks.
  @Sendable private static func flaky(
    _ request: LoopbackServer.Request, _ connection: LoopbackServer.Connection, of whole: [UInt8] = shard,
    most: Int
  ) {
    guard !request.target.contains(".json") else { return connection.answer("404 Not Found") }
    let start = request.rangeStart ?? 0
    var headers = tag.merging(["Content-Length": "\(whole.count - start)"]) { $1 }
    if start > 0 { headers["Content-Range"] = "bytes \(start)-\(whole.count - 1)/\(whole.count)" }
    connection.head(start > 0 ? "206 Partial Content" : "200 OK", headers)
    connection.send(Array(whole[start...].prefix(most)))
  }

  private func expectWhole(_ source: WebDatasetSource) throws {
    let folder = try TemporaryFolder()
    let local = try takeAll(WebDatasetSource(folder.write("t.tar", Self.shard)))
    let remote = try takeAll(source)
    #expect(remote.count == 30 && zip(remote, local).allSatisfy(same))
  }

  @Test("A broken connection continues where it broke")
  func aBrokenConnectionContinues() throws {
    let server = try LoopbackServer { Self.flaky($0, $2, most: $1 == 0 ? .max : 9_000) }
    try expectWhole(open(server.url("t.tar?\(Self.signature)")))
    let requests = server.requests.filter { $0.target.hasPrefix("/t.tar") }
    #expect(requests.count == (Self.shard.count + 8_999) / 9_000)
    for (number, request) in requests.enumerated() {
      #expect(request.method == "GET" && request.target == "/t.tar?\(Self.signature)")
      #expect(request.headers["range"] == (number == 0 ? nil : "bytes=\(9_000 * number)-"))
      #expect(request.headers["if-range"] == (number == 0 ? nil : "\"one\""))
    }
  }

  @Test("A remote shard conforms to the requirements of a source")
  func conforms() throws {
    let server = try LoopbackServer { Self.flaky($0, $2, most: 20_000) }
    try checkConformance(count: 30, isShuffled: false) { _ in
      try self.open(server.url("t-{0..0}.tar"))
    }
    #expect(try open(server.url("t.tar")).readsAgainToRestore)
  }

  @Test("A server without ranges is read again from the start")
  func aServerWithoutRangesIsReadAgain() throws {
    let server = try LoopbackServer { request, number, connection in
      guard !request.target.contains(".json") else { return connection.answer("404 Not Found") }
      connection.head("200 OK", Self.tag.merging(["Content-Length": "\(Self.shard.count)"]) { $1 })
      connection.send(Array(Self.shard.prefix(number < 3 ? 10_000 * number : .max)))
    }
    try expectWhole(open(server.url("t.tar")))
  }

  @Test("A request to a stalled server is repeated")
  func requestsToAStalledServerAreRepeated() throws {
    let server = try LoopbackServer { request, number, connection in
      Self.flaky(request, connection, most: number < 3 ? 20_000 : .max)
      if number < 3 { Thread.sleep(forTimeInterval: 1) }
    }
    try expectWhole(open(server.url("t.tar"), idle: 0.2))
  }

  @Test("A request to a busy server is repeated")
  func requestsToABusyServerAreRepeated() throws {
    let server = try LoopbackServer { request, number, connection in
      if number == 0 { return connection.answer("404 Not Found") }
      if number < 4 {
        return connection.answer(["503 Busy", "429 Slow", "500 Oops"][number % 3], ["Retry-After": "1"])
      }
      Self.flaky(request, connection, most: .max)
    }
    try expectWhole(open(server.url("t.tar")))
    #expect(server.requests.count == 5)
  }

  @Test("Redirects are followed")
  func redirectsAreFollowed() throws {
    let server = try LoopbackServer { request, number, connection in
      if request.target.hasPrefix("/t") {
        connection.answer("302 Found", ["Location": "/deep\(request.target)"])
      } else if request.target.hasPrefix("/deep") {
        connection.answer("307 Temporary Redirect", ["Location": "../u.tar"])
      } else {
        Self.flaky(request, connection, most: 30_000)
      }
    }
    try expectWhole(open(server.url("t.tar")))
  }

  @Test(
    "A refusal of the server is reported with a remedy and without secrets",
    arguments: [
      ("404 Not Found", [], ["no such file on the server (404)", "check the address"]),
      ("410 Gone", [], ["no such file on the server (410)"]),
      ("403 Forbidden", [], ["access denied (403)", "sign it again", "--resume"]),
      ("401 Unauthorized", [], ["access denied (401)"]),
      ("400 Bad Request", [], ["answered 400"]),
      ("503 Service Unavailable", [], ["answered 503", "4 attempts", "--resume"]),
      ("416 Range Not Satisfiable", [], ["416"]),
      ("302 Found", ["Location: file:///etc/passwd"], ["file:///etc/passwd", "only http and https"]),
      ("302 Found", ["Location: ftp://x/y?\(signature)"], ["ftp://x/y"]),
      ("302 Found", [], ["no address"]),
      ("301 Moved", ["Location: /t.tar"], ["more than 3 redirects"]),
    ])
  func refusalsAreReported(status: String, headers: [String], words: [String]) throws {
    let server = try LoopbackServer { request, _, connection in
      guard !request.target.contains(".json") else { return connection.answer("404 Not Found") }
      let pairs = headers.map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
      connection.answer(status, Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) }))
    }
    let source = try open(server.url("t.tar?\(Self.signature)"))
    expectError(.io, naming: words + [server.url("t.tar?…"), "after 0 examples"]) { _ = try source.next() }
    do { _ = try source.next() } catch let error as OnePassError {
      #expect(!error.message.contains("s3cr3t"), "\(error)")
    }
    #expect(!source.specification.contains("s3cr3t") && source.position == 0)
  }

  @Test("A server that cannot be reached is reported with the number of attempts")
  func unreachableServersAreReported() throws {
    let port = try LoopbackServer { _, _, _ in }.port
    for idle in [5, 0.1] {
      expectError(.io, naming: ["127.0.0.1:\(port)/t.json", "Connection refused", "4 attempts"]) {
        _ = try open("http://127.0.0.1:\(port)/t.tar", idle: idle).next()
      }
    }
    let silent = try LoopbackServer { _, _, _ in Thread.sleep(forTimeInterval: 2) }
    expectError(.io, naming: ["was silent", "2 attempts"]) {
      _ = try open(silent.url("t.tar"), idle: 0.1, attempts: 2).next()
    }
    expectError(.io, naming: ["was silent", "1 attempt"]) {
      _ = try open(silent.url("t.tar"), idle: 0.1, overall: 0.05).next()
    }
  }

  /// The tag, the length or the byte range shows that the file has changed.
  @Test(
    "A file that changes between two requests is detected",
    arguments: [
      ("200 OK", ["ETag": "\"two\""], "the file changed"),
      ("206 Partial Content", ["ETag": "\"two\"", "Content-Range": "bytes 20000-*/*"], "the file changed"),
      (
        "206 Partial Content", ["ETag": "\"one\"", "Content-Range": "bytes 20000-20009/20010"],
        "the file changed"
      ),
      (
        "206 Partial Content", ["ETag": "\"one\"", "Content-Range": "bytes 19999-20009/*"],
        "different byte range"
      ),
      ("206 Partial Content", ["ETag": "\"one\""], "different byte range"),
      ("416 Range Not Satisfiable", [:], "ends before byte 20000"),
    ])
  func changedFilesAreDetected(status: String, headers: [String: String], words: String) throws {
    let server = try LoopbackServer { request, number, connection in
      number < 2
        ? Self.flaky(request, connection, most: 20_000)
        : connection.answer(
          status,
          headers.mapValues {
            $0.replacing("20009/*", with: "20009/\(Self.shard.count)").replacing(
              "-*/*", with: "-\(Self.shard.count - 1)/\(Self.shard.count)")
          },
          body: [UInt8](repeating: 0, count: 10))
    }
    let source = try open(server.url("t.tar"))
    expectError(
      .io, naming: [words] + (words == "different byte range" ? [] : ["start the run again"])
    ) {
      while try source.next() != nil {}
    }
    // Only samples before the change are delivered: a sample has 2,560 bytes, of which the last
    // 511 are padding, so 20,000 bytes contain eight samples.
    #expect(source.position == 8)
  }

  /// The other file has the same length and the same names, and the server states no version of it.
  @Test(
    "Without a version of the file, the last bytes are read again and compared",
    arguments: [
      ("206 Partial Content", false), ("206 Partial Content", true), ("200 OK", false), ("200 OK", true),
    ])
  func theLastBytesAreCompared(status: String, isOther: Bool) throws {
    let other = Self.shard.map { $0 &+ ($0 > 127 ? 1 : 0) }
    let server = try LoopbackServer { request, number, connection in
      guard !request.target.contains(".json") else { return connection.answer("404 Not Found") }
      let whole = isOther && number >= 2 ? other : Self.shard
      let start = status.hasPrefix("206") ? request.rangeStart ?? 0 : 0
      var headers = ["Content-Length": "\(whole.count - start)"]
      if start > 0 { headers["Content-Range"] = "bytes \(start)-\(whole.count - 1)/\(whole.count)" }
      connection.head(start > 0 ? status : "200 OK", headers)
      // The second answer by ranges starts 16 KiB before the break.
      connection.send(Array(whole[start...].prefix(number < 3 ? 30_000 : .max)))
    }
    let source = try open(server.url("t.tar"))
    guard isOther else { return try expectWhole(source) }
    expectError(.io, naming: ["the file changed after 30000 bytes"]) {
      while try source.next() != nil {}
    }
  }

  /// Without a length, only the end mark of the tar shows that it is complete.
  @Test("A truncated body is detected")
  func truncatedBodiesAreDetected() throws {
    let server = try LoopbackServer { request, _, connection in
      guard !request.target.contains(".json") else { return connection.answer("404 Not Found") }
      connection.head("200 OK", [:])
      connection.send(Array(Self.shard.prefix(20_000)))
    }
    expectError(.badData, naming: ["t.tar", "truncated or corrupt"]) {
      _ = try takeAll(open(server.url("t.tar")))
    }
  }

  @Test("The index is used, and whole shards are skipped")
  func anIndexIsUsedAndWholeShardsArePassedOver() throws {
    let index =
      #"{"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": [{"url": "t-0.tar", "nsamples": 30}, {"url": "t-1.tar", "nsamples": 30}], "classes": ["a", "b", "c"]}"#
    let server = try LoopbackServer { request, _, connection in
      if request.target == "/t.json?\(Self.signature)" {
        return connection.answer("200 OK", body: Array(index.utf8))
      }
      Self.flaky(request, connection, most: .max)
    }
    let source = try open(server.url("t-{0..1}.tar?\(Self.signature)"))
    #expect(source.knownCount == 60 && source.classNames == ["a", "b", "c"] && !source.readsAgainToRestore)
    try source.restore(position: 31)
    #expect(try source.next()?.id == 31)
    #expect(!server.requests.contains { $0.target.hasPrefix("/t-0") })
    let unknown = try open(server.url("u-{0..1}.tar"))
    expectError(.usage, naming: ["not read twice", "index"]) { _ = try Survey.of(unknown) }
  }

  /// Signed addresses cannot be a pattern, because each has its own signature.
  @Test("Addresses can come from a list")
  func addressesMayBeListed() throws {
    let server = try LoopbackServer { Self.flaky($0, $2, most: .max) }
    let folder = try TemporaryFolder()
    try folder.write("local.tar", Self.shard)
    let list = try folder.write(
      "list.txt",
      Array(
        "# shards\n\(server.url("a.tar?one"))\n\n\(server.url("b-{0..1}.tar?two"))\n\(folder.path)/local.tar\n"
          .utf8))
    let source = try open("@\(list)")
    #expect(try takeAll(source).count == 120)
    #expect(server.requests.map(\.target) == ["/a.tar?one", "/b-0.tar?two", "/b-1.tar?two"])
    try folder.write("empty.txt", Array("#\n".utf8))
    expectError(.badData, naming: ["empty.txt: no shards listed"]) {
      _ = try open("@\(folder.path)/empty.txt")
    }
    expectError(.io, naming: ["/nowhere"]) { _ = try open("@/nowhere") }
  }

  @Test(
    "Secrets are not shown",
    arguments: [
      ("wds:https://h/t-{0..9}.tar?a=b&c", "wds:https://h/t-{0..9}.tar?…"),
      ("wds:{https://u:p@h/a?x,https://h/b?y}", "wds:{https://h/a?…"),
      ("HTTP://u@h/a#b", "HTTP://h/a?…"), ("wds:dir/what?.tar", "wds:dir/what?.tar"),
      ("https://h/a@b.tar", "https://h/a@b.tar"),
    ])
  func secretsAreNotShown(text: String, shown: String) {
    #expect(SourceRegistry.withoutSecrets(text) == shown)
  }

  @Test("Text that is not an address is refused", arguments: ["http://", "https:///x"])
  func whatIsNoAddressIsRefused(text: String) {
    expectError(.usage, naming: ["not an HTTP address"]) { _ = try open(text) }
  }
}
