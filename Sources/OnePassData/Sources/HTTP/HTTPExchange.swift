import CCurl
import Foundation

/// One request to a server and its answer. Owned by one thread.
///
/// Only that thread drives libcurl, while it waits for data. When it does not read, arriving data fills the system's
/// buffer, and then the server must wait.
///
/// ```
/// let exchange = try HTTPExchange(HTTPAddress("https://example.org/t.tar"), headers: [])
/// print(try exchange.head(within: 60).status)
/// ```
package final class HTTPExchange {
  /// The status and the header fields of an answer.
  package struct Head {
    /// The HTTP status code.
    package let status: Int
    fileprivate var fields: [(name: String, value: String)] = []

    /// The value of the first field with this name, in any case.
    package subscript(name: String) -> String? {
      fields.first { $0.name.caseInsensitiveCompare(name) == .orderedSame }?.value
    }
  }

  /// A failure of the connection.
  package struct Broken: Error {
    /// The failure, as a phrase of an error message.
    package let detail: String
    /// The remedy if another attempt would fail in the same way; `nil` if an attempt may succeed.
    package let remedy: String?

    init(_ detail: String, remedy: String? = nil) { (self.detail, self.remedy) = (detail, remedy) }
  }

  /// The method of a request.
  package enum Method {
    case get
    /// With the body of the request.
    case post([UInt8])
  }

  private let transfer: CurlTransfer
  /// The head received so far.
  private var arriving: Head?
  private var head: Head?
  /// The reader's buffer, and the number of bytes in it.
  private var target = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var filled = 0
  /// Bytes beyond that buffer, at most the 16 KiB of one call by libcurl.
  private var rest: [UInt8] = []
  private var restStart = 0
  /// Whether libcurl holds a part of the body until there is room.
  private var isHeldBack = false

  /// Prepares a request, which is sent by the first call that waits for the answer.
  /// - Throws: `Broken` if memory is exhausted.
  package init(
    _ address: HTTPAddress, _ method: Method = .get, headers: [(String, String)]
  ) throws(Broken) {
    guard let transfer = CurlTransfer(to: address) else { throw Broken.outOfMemory }
    self.transfer = transfer
    // No `Expect` field: libcurl would wait for an answer to it, which few servers send.
    let own = [("User-Agent", "onepass"), ("Accept-Encoding", "identity"), ("Expect", "")]
    transfer.set(headers: headers + own)
    if case .post(let body) = method { transfer.set(body: body) }
    transfer.hand(
      to: Unmanaged.passUnretained(self).toOpaque(),
      header: { bytes, _, count, context in
        HTTPExchange.of(context).receive(line: UnsafeRawBufferPointer(start: bytes, count: count))
        return count
      },
      body: { bytes, _, count, context in
        let bytes = UnsafeRawBufferPointer(start: bytes, count: count)
        return HTTPExchange.of(context).receive(bytes) ? count : CurlTransfer.notNow
      })
  }

  private static func of(_ context: UnsafeMutableRawPointer?) -> HTTPExchange {
    guard let context else { preconditionFailure("libcurl must call back with the given context.") }
    return Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
  }

  // MARK: Reading

  /// Waits for the head of the answer, up to a time limit.
  /// - Throws: `Broken` if the connection fails or the time limit is exceeded.
  package func head(within seconds: Double) throws(Broken) -> Head {
    try transfer.drive(within: seconds) { head != nil }
    if let head { return head }
    if transfer.isOver { throw transfer.problem ?? Broken.closedByServer }
    throw Broken.silentServer(seconds: seconds)
  }

  /// Reads the available bytes of the body, up to `target.count`; 0 at its end.
  func read(into target: UnsafeMutableRawBufferPointer, within seconds: Double) throws(Broken) -> Int {
    if restStart < rest.count {
      let count = min(rest.count - restStart, target.count)
      rest.withUnsafeBytes { target.copyMemory(from: .init(rebasing: $0[restStart..<restStart + count])) }
      restStart += count
      return count
    }
    (self.target, filled) = (target, 0)
    defer { self.target = UnsafeMutableRawBufferPointer(start: nil, count: 0) }
    let isResumed = isHeldBack
    isHeldBack = false
    try transfer.drive(within: seconds, isResumed: isResumed) { filled > 0 }
    if filled > 0 { return filled }
    if let problem = transfer.problem { throw problem }
    if transfer.isOver { return 0 }
    throw Broken.noData(seconds: seconds)
  }

  /// Reads the body, up to the first read that reaches `limit` bytes.
  /// - Throws: `Broken` if the connection fails or a read exceeds the time limit.
  package func body(atMost limit: Int, within seconds: Double) throws(Broken) -> [UInt8] {
    let part = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)
    defer { part.deallocate() }
    var body: [UInt8] = []
    while body.count < limit {
      let count = try read(into: part, within: seconds)
      guard count > 0 else { break }
      body += part.prefix(count)
    }
    return body
  }

  /// Reads the available bytes of the body, up to `limit` and 64 KiB; none at its end.
  func part(atMost limit: Int, within seconds: Double) throws(Broken) -> [UInt8] {
    let part = UnsafeMutableRawBufferPointer.allocate(byteCount: min(1 << 16, limit), alignment: 16)
    defer { part.deallocate() }
    return Array(part.prefix(try read(into: part, within: seconds)))
  }

  // MARK: Called by libcurl, on the same thread

  /// Receives a line of the head: the status line, a field, the empty last line, or a trailer after the body.
  private func receive(line bytes: UnsafeRawBufferPointer) {
    guard head == nil else { return }
    let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    if line.hasPrefix("HTTP/") {
      // Informational answers (100, 103) have heads too.
      let status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
      arriving = Head(status: status ?? 0)
    } else if line.isEmpty {
      if let arriving, arriving.status >= 200 { head = arriving }
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      arriving?.fields.append((String(line[..<colon]), value))
    }
  }

  /// Receives a part of the body; `false` if there is no room for it now.
  private func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard filled < target.count || restStart == rest.count else {
      isHeldBack = true
      return false
    }
    let count = min(bytes.count, target.count - filled)
    if count > 0 {
      UnsafeMutableRawBufferPointer(rebasing: target[filled...])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      filled += count
    }
    if count < bytes.count {
      rest.removeAll(keepingCapacity: true)
      rest.append(contentsOf: bytes[count...])
      restStart = 0
    }
    return true
  }
}
