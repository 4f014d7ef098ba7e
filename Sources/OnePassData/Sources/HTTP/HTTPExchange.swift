import CCurl
import Foundation

/// One request to a server and its answer. Owned by one thread.
///
/// That thread drives libcurl while it waits, and no other does. So nothing is taken from the network while nobody reads:
/// what arrives meanwhile fills the system's buffer, and then the server has to wait.
package final class HTTPExchange {
  /// The beginning of an answer.
  package struct Head {
    package let status: Int
    fileprivate var fields: [(name: String, value: String)] = []

    package subscript(name: String) -> String? {
      fields.first { $0.name.caseInsensitiveCompare(name) == .orderedSame }?.value
    }
  }

  /// What became of the connection.
  package struct Broken: Error {
    package let detail: String
    /// What has to be done where another attempt would end in the same way.
    package let remedy: String?

    init(_ detail: String, remedy: String? = nil) { (self.detail, self.remedy) = (detail, remedy) }
  }

  /// What a request asks for.
  package enum Method {
    case get
    case post([UInt8])
  }

  private let transfer: CurlTransfer
  /// The head as far as it has come.
  private var arriving: Head?
  private var head: Head?
  /// Where the reader wants the next bytes, and how many lie there.
  private var target = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var filled = 0
  /// What came beyond that: at most what libcurl hands over at once, 16 KiB.
  private var rest: [UInt8] = []
  private var restStart = 0
  /// Whether libcurl keeps a part of the body until there is room.
  private var isHeldBack = false

  /// Prepares a request; it is sent by whoever waits for the answer.
  /// - Throws: `Broken` if the address cannot be asked.
  package init(
    _ address: HTTPAddress, _ method: Method = .get, headers: [(String, String)]
  ) throws(Broken) {
    guard let transfer = CurlTransfer(to: address) else { throw Broken("libcurl is out of memory") }
    self.transfer = transfer
    // No `Expect`: the answer to it would be waited for, and few servers give one.
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
    guard let context else { preconditionFailure("libcurl calls back without what it was given") }
    return Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue()
  }

  // MARK: Reading

  /// The head of the answer, at latest after so many seconds.
  package func head(within seconds: Double) throws(Broken) -> Head {
    try transfer.drive(within: seconds) { head != nil }
    if let head { return head }
    if transfer.isOver { throw transfer.problem ?? Broken("the server closed the connection") }
    throw Broken("the server was silent for \(Int(seconds)) s")
  }

  /// Takes as many bytes of the body as there are at once; 0 at its end.
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
    throw Broken("no byte came for \(Int(seconds)) s")
  }

  /// The whole body, or about so many bytes of its beginning.
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

  // MARK: Called by libcurl, on the same thread

  /// A line of the head: its first, a field, the empty one at its end, or one behind the body.
  private func receive(line bytes: UnsafeRawBufferPointer) {
    guard head == nil else { return }
    let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    if line.hasPrefix("HTTP/") {
      // The head of another answer may come before (100, 103).
      let status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
      arriving = Head(status: status ?? 0)
    } else if line.isEmpty {
      if let arriving, arriving.status >= 200 { head = arriving }
    } else if let colon = line.firstIndex(of: ":") {
      let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      arriving?.fields.append((String(line[..<colon]), value))
    }
  }

  /// A part of the body; `false` if there is no room for it now.
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
