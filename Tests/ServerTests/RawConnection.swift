import Foundation
import TestSupport

/// An answer of a server.
struct Answer: Sendable {
  let status: Int
  /// By name in lower case.
  let headers: [String: String]
  let body: [UInt8]

  var json: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
  }

  /// The name of a problem; `nil` if the answer is none in the format of RFC 9457.
  var problem: String? {
    let prefix = "urn:onepass:problem:"
    guard headers["content-type"] == "application/problem+json", json["status"] as? Int == status,
      json["title"] is String, json["detail"] is String,
      let type = json["type"] as? String, type.hasPrefix(prefix)
    else { return nil }
    return String(type.dropFirst(prefix.count))
  }
}

/// A connection over which bytes are sent as they are given.
final class RawConnection {
  private let descriptor: Int32

  struct Failure: Error { let words: String }

  init(port: Int) throws {
    #if canImport(Glibc)
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard status == 0 else { throw Failure(words: "no connection to port \(port)") }
  }

  deinit { close(descriptor) }

  /// - Returns: Whether everything was sent.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      sent += count
    }
    return true
  }

  /// What has arrived; empty at the end, or after a minute without data.
  func receive() -> [UInt8] {
    var part = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(descriptor, &part, part.count, 0)
    return Array(part.prefix(max(0, count)))
  }

  /// Reads until a condition on all bytes is true, or the connection ends.
  func receive(until isEnough: ([UInt8]) -> Bool) -> [UInt8] {
    var all: [UInt8] = []
    while !isEnough(all) {
      let part = receive()
      if part.isEmpty { break }
      all += part
    }
    return all
  }

  /// Reads an answer after which the server closes the connection.
  func answer() throws -> Answer {
    let bytes = receive { _ in false }
    guard let blank = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else {
      throw Failure(words: "no answer: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
    }
    let lines = String(decoding: bytes[..<blank.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    let headers = lines.dropFirst().reduce(into: [String: String]()) { headers, line in
      let pair = line.split(separator: ":", maxSplits: 1).map(String.init)
      if pair.count == 2 { headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces) }
    }
    let body = Array(bytes[blank.upperBound...])
    return Answer(
      status: status, headers: headers,
      body: headers["transfer-encoding"] == "chunked" ? Self.joined(body) : body)
  }

  /// The content of a chunked body.
  static func joined(_ body: [UInt8]) -> [UInt8] {
    var (rest, all): (ArraySlice<UInt8>, [UInt8]) = (body[...], [])
    while let end = rest.firstIndex(of: 13),
      let count = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16), count > 0
    {
      all += rest.dropFirst(end + 2 - rest.startIndex).prefix(count)
      rest = rest.dropFirst(end + 2 - rest.startIndex + count + 2)
    }
    return all
  }
}
