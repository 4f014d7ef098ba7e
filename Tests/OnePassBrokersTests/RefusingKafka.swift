import Foundation
import Synchronization
import TestSupport

/// A broker that refuses every user: as much of Kafka's protocol as comes before.
final class RefusingKafka: Sendable {
  let port: Int
  private let listener: Int32
  private let log = Mutex<[UInt8]>([])

  struct Failure: Error {}

  /// What clients have sent as their credentials.
  var credentials: [UInt8] { log.withLock { $0 } }

  init() throws {
    let (descriptor, port) = try Self.bound()
    guard listen(descriptor, 8) == 0 else { throw Failure() }
    (listener, self.port) = (descriptor, port)
    let note: @Sendable ([UInt8]) -> Void = { [weak self] bytes in self?.log.withLock { $0 += bytes } }
    Thread {
      while case let client = accept(descriptor, nil, nil), client >= 0 {
        while let request = Self.read(client), Self.answer(request, client, note) {}
        close(client)
      }
      close(descriptor)
    }.start()
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  /// The bytes of a request after its length.
  private static func read(_ client: Int32) -> [UInt8]? {
    func part(_ count: Int) -> [UInt8]? {
      var bytes = [UInt8](repeating: 0, count: count)
      return recv(client, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
    }
    return part(4).flatMap { part($0.reduce(0) { $0 << 8 | Int($1) }) }
  }

  private static func answer(_ request: [UInt8], _ client: Int32, _ note: ([UInt8]) -> Void) -> Bool {
    guard request.count >= 8 else { return false }
    let (api, version) = (Int(request[0]) << 8 | Int(request[1]), Int(request[2]) << 8 | Int(request[3]))
    var body: [UInt8]
    switch (api, version) {
    case (18, 0):
      // Requests and their versions: handshake, authentication, versions, metadata.
      body = [0, 0, 0, 0, 0, 4, 0, 17, 0, 0, 0, 1, 0, 36, 0, 0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4]
    case (18, _):
      // This version of the request is unsupported.
      body = [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 0]
    case (17, _): body = [0, 0, 0, 0, 0, 1, 0, 5] + Array("PLAIN".utf8)
    case (36, _):
      note(request)
      let words = Array("Authentication failed: Invalid username or password".utf8)
      body = [0, 58, 0, UInt8(words.count)] + words + [0, 0, 0, 0]
    default: return false
    }
    // The length, and the number of the request.
    body = [0, 0, 0, UInt8(4 + body.count)] + request[4..<8] + body
    return send(client, body, body.count, Int32(MSG_NOSIGNAL)) == body.count
  }

  /// A socket with a free port.
  private static func bound() throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw TestServer.Failure(words: "no port is free") }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }

  private static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return address
  }
}
