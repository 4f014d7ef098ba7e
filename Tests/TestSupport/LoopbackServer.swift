import Foundation
import Synchronization

/// An HTTP/1.1 server on loopback with scripted answers, including invalid ones.
///
/// Each connection has a thread and one request, and is closed after the answer.
public final class LoopbackServer: Sendable {
  public struct Request: Sendable {
    public let method: String
    /// The path with the query.
    public let target: String
    /// The headers, by name in lower case.
    public let headers: [String: String]
    public let body: [UInt8]

    /// N of `Range: bytes=N-`.
    public var rangeStart: Int? {
      headers["range"].flatMap { Int($0.dropFirst("bytes=".count).prefix { $0 != "-" }) }
    }
  }

  /// Answers to a client.
  public struct Connection: Sendable {
    fileprivate let descriptor: Int32

    public func send(_ text: String) { send(Array(text.utf8)) }

    public func send(_ bytes: [UInt8]) {
      var sent = 0
      while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes {
          Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        sent += count
      }
    }

    /// Sends a complete answer.
    public func answer(_ status: String, _ headers: [String: String] = [:], body: [UInt8] = []) {
      head(status, headers.merging(["Content-Length": "\(body.count)"]) { own, _ in own })
      send(body)
    }

    /// Answers a `CONNECT` as a proxy does: forwards data in both directions until one side ends.
    public func tunnel(to port: Int) {
      guard let other = try? LoopbackServer.connect(to: port) else { return answer("502 Bad Gateway") }
      defer { close(other) }
      send("HTTP/1.1 200 Connection established\r\nContent-Length: 3\r\nETag: \"proxy\"\r\n\r\n")
      var ends = [descriptor, other].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      var part = [UInt8](repeating: 0, count: 1 << 16)
      while poll(&ends, 2, -1) > 0 {
        for (from, to) in [(0, other), (1, descriptor)] where ends[from].revents != 0 {
          let count = recv(ends[from].fd, &part, part.count, 0)
          guard count > 0 else { return }
          Connection(descriptor: to).send(Array(part.prefix(count)))
        }
      }
    }

    public func head(_ status: String, _ headers: [String: String]) {
      send(
        "HTTP/1.1 \(status)\r\n" + headers.map { "\($0): \($1)\r\n" }.joined() + "Connection: close\r\n\r\n")
    }
  }

  public let port: Int
  private let listener: Int32
  private let log = Mutex<[Request]>([])

  /// All requests so far.
  public var requests: [Request] { log.withLock { $0 } }

  /// - Parameter handle: Answers a request. The number counts requests from 0.
  public init(_ handle: @escaping @Sendable (Request, Int, Connection) -> Void) throws {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    listener = socket
    var address = Self.loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (bound, named) = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        (
          bind(socket, address, length) == 0 && listen(socket, 16) == 0,
          getsockname(socket, address, &length) == 0
        )
      }
    }
    guard bound, named else { throw POSIXError(.EADDRNOTAVAIL) }
    port = Int(UInt16(bigEndian: address.sin_port))
    // The thread retains the log, not the server, so that releasing the server closes it.
    let note: @Sendable (Request) -> Int = { [weak self] request in
      self?.log.withLock {
        $0.append(request)
        return $0.count - 1
      } ?? 0
    }
    Thread {
      while case let client = accept(socket, nil, nil), client >= 0 {
        Thread {
          let connection = Connection(descriptor: client)
          if let request = Self.read(from: client) { handle(request, note(request), connection) }
          shutdown(client, Int32(SHUT_RDWR))
          close(client)
        }.start()
      }
      close(socket)
    }.start()
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  public func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

  private static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return address
  }

  private static func connect(to port: Int) throws -> Int32 {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port: port)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      close(socket)
      throw POSIXError(.ECONNREFUSED)
    }
    return socket
  }

  private static func read(from client: Int32) -> Request? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
      guard recv(client, &byte, 1, 0) == 1, bytes.count < 1 << 16 else { return nil }
      bytes.append(byte)
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ").map(String.init)
    guard words.count == 3 else { return nil }
    let headers = lines.dropFirst().compactMap { line -> (String, String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (
        line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      )
    }
    let named = Dictionary(headers) { first, _ in first }
    var body = [UInt8](repeating: 0, count: named["content-length"].flatMap { Int($0) } ?? 0)
    var filled = 0
    while filled < body.count {
      let got = body[filled...].withUnsafeMutableBytes { recv(client, $0.baseAddress, $0.count, 0) }
      guard got > 0 else { return nil }
      filled += got
    }
    return Request(method: words[0], target: words[1], headers: named, body: body)
  }
}
