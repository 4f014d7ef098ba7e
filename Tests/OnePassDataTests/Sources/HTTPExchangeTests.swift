import Foundation
import Synchronization
import TestSupport
import Testing

@testable import OnePassData

/// The bytes received and sent over a connection, with slow readers and closed connections.
@Suite("Exchanges over HTTP") struct HTTPExchangeTests {
  private func exchange(
    _ server: LoopbackServer, _ method: HTTPExchange.Method = .get, headers: [(String, String)] = []
  ) throws -> HTTPExchange {
    try HTTPExchange(HTTPAddress(server.url("x")), method, headers: headers)
  }

  /// A body whose bytes differ over long distances.
  private static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8 ^ $0 >> 17) }
  }

  @Test("A slow reader holds the server back and gets every byte")
  func aReaderThatIsSlowHoldsTheServerBack() throws {
    let part = Self.bytes(1 << 20)
    let sent = Counter()
    let server = try LoopbackServer { _, _, connection in
      connection.head("200 OK", ["Content-Length": "\(40 << 20)"])
      for _ in 0..<40 {
        connection.send(part)
        sent.add(1)
      }
    }
    let exchange = try exchange(server)
    #expect(try exchange.head(within: 5).status == 200)
    Thread.sleep(forTimeInterval: 0.5)
    // The capacity of the buffers of both sides. Linux has at most 4 MiB and 6 MiB.
    #expect(sent.value < 20, "\(sent.value) MiB were received from the server")
    var read = [UInt8](repeating: 0, count: part.count)
    for _ in 0..<40 {
      var filled = 0
      while filled < read.count {
        let got = try read.withUnsafeMutableBytes {
          try exchange.read(into: .init(rebasing: $0[filled...]), within: 5)
        }
        try #require(got > 0)
        filled += got
      }
      // Not `==`, which takes seconds without optimisation.
      #expect(memcmp(read, part, part.count) == 0)
    }
    #expect(try read.withUnsafeMutableBytes { try exchange.read(into: $0, within: 5) } == 0)
  }

  /// Sizes around those of libcurl's buffers, reads of one byte, and chunks from the server.
  @Test(
    "Every byte arrives once and in order",
    arguments: [1, 3, 1_000, 16_383, 16_384, 16_385, 100_000, 1 << 20])
  func everyByteComesOnceAndInOrder(size: Int) throws {
    let whole = Self.bytes(min(300_000, 20_000 * size))
    let server = try LoopbackServer { _, _, connection in
      connection.send("HTTP/1.1 100 Continue\r\nX: early\r\n\r\n")
      connection.head("200 OK", ["Transfer-Encoding": "chunked", "x": "late"])
      for start in stride(from: 0, to: whole.count, by: 70_001) {
        let chunk = whole[start...].prefix(70_001)
        connection.send("\(String(chunk.count, radix: 16))\r\n")
        connection.send(Array(chunk))
        connection.send("\r\n")
      }
      connection.send("0\r\nX: trailer\r\n\r\n")
    }
    let exchange = try exchange(server)
    let head = try exchange.head(within: 5)
    #expect(head.status == 200 && head["X"] == "late" && head["absent"] == nil)
    var (read, part) = ([UInt8](), [UInt8](repeating: 0, count: size))
    while case let count = try part.withUnsafeMutableBytes({ try exchange.read(into: $0, within: 5) }),
      count > 0
    {
      read += part.prefix(count)
    }
    #expect(read == whole)
    #expect(try part.withUnsafeMutableBytes { try exchange.read(into: $0, within: 5) } == 0)
  }

  /// A kept connection may be closed before it is reused. The request must then not be sent twice.
  @Test("A kept connection that the server closed is replaced by a new one")
  func closedConnectionsAreReplaced() throws {
    let server = try LoopbackServer { _, _, connection in
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    }
    for _ in 0..<20 {
      let exchange = try exchange(server, .post(Array("once".utf8)))
      #expect(try exchange.head(within: 5).status == 200)
      #expect(try exchange.body(atMost: 9, within: 5) == Array("ok".utf8))
    }
    #expect(server.requests.count == 20)
    #expect(server.requests.allSatisfy { $0.method == "POST" && $0.body == Array("once".utf8) })
  }

  @Test("The method, headers and body of a request are sent unchanged")
  func whatIsSentIsWhatWasSaid() throws {
    let server = try LoopbackServer { _, _, connection in connection.answer("204 No Content") }
    let exchange = try exchange(
      server, headers: [("Range", "bytes=5-"), ("If-Range", "\"a\"\r\nX-Smuggled: yes")])
    #expect(try exchange.head(within: 5).status == 204)
    let request = try #require(server.requests.first)
    #expect(request.method == "GET" && request.target == "/x" && request.body.isEmpty)
    #expect(request.headers["range"] == "bytes=5-" && request.headers["accept-encoding"] == "identity")
    #expect(request.headers["user-agent"] == "onepass" && request.headers["expect"] == nil)
    #expect(request.headers["x-smuggled"] == nil)
  }

  @Test("Releasing an exchange ends it at once, even during the answer")
  func releasingAnExchangeEndsIt() throws {
    let isOver = Counter()
    let server = try LoopbackServer { _, _, connection in
      connection.head("200 OK", ["Content-Length": "\(1 << 30)"])
      for _ in 0..<1_024 where isOver.value == 0 { connection.send([UInt8](repeating: 1, count: 1 << 20)) }
    }
    let start = ContinuousClock.now
    for _ in 0..<8 { #expect(try exchange(server).head(within: 5).status == 200) }
    #expect(ContinuousClock.now - start < .seconds(5))
    isOver.add(1)
  }

  private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add(_ more: Int) { count.withLock { $0 += more } }
  }
}
