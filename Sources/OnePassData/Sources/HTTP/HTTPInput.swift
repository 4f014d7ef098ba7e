import Foundation
import OnePassCore

/// A file on a server, read once from start to end. Owned by one thread.
///
/// If a connection breaks, stalls or ends early, a new one continues at the same byte (`Range` with `If-Range`, RFC 9110
/// sections 13.1.5 and 14). If the file has changed by then, reading fails. If the server states no version of the file, the
/// last 16 KiB are read again and compared.
final class HTTPInput: ByteInput {
  let isFile = false
  let offset: Int? = nil

  private let address: HTTPAddress
  private let limits: HTTPLimits
  private var exchange: HTTPExchange?
  /// The offset of the next byte.
  private var position: Int
  /// The end of the requested part; the file's end if `nil`.
  private let end: Int?
  /// The version of the file: `ETag`, or else `Last-Modified`; `nil` if the server sends neither.
  private var validator: String?
  private var total: Int?
  /// The last bytes that were read, if the server states no version: a new connection must repeat them.
  private var tail: [UInt8] = []
  private static let tailBytes = 1 << 14
  /// The size of the whole file in bytes; `nil` until the server states it.
  var wholeSize: Int? { total }
  /// Whether the server answered that the file does not exist or that access is denied.
  private(set) var isRefused = false

  /// - Parameters:
  ///   - range: The part to read, in bytes; the whole file if `nil`.
  ///   - other: An input of another part of the same file. The file must not have changed since.
  init(
    _ address: HTTPAddress, range: Range<Int>? = nil, like other: HTTPInput? = nil,
    limits: HTTPLimits = HTTPLimits()
  ) {
    validator = other?.validator
    total = other?.total
    self.address = address
    position = range?.lowerBound ?? 0
    end = range?.upperBound
    self.limits = limits
  }

  func skip(_ count: Int) -> Bool? { nil }

  func read(into target: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
    let start = ContinuousClock.now
    var attempt = 0
    while true {
      attempt += 1
      let problem: Problem
      do throws(Problem) {
        if position == total || position == end { return 0 }
        if exchange == nil { exchange = try connect() }
        let got = try take(UnsafeMutableRawBufferPointer(rebasing: target.prefix((end ?? .max) - position)))
        position += got
        keepTail(UnsafeRawBufferPointer(rebasing: target[..<got]))
        return got
      } catch {
        problem = error
        exchange = nil
      }
      if case .final(let failure) = problem { throw failure }
      guard case .passing(let detail, let asked) = problem else { continue }
      let pause = limits.pause(before: attempt, asked: asked)
      let waited = (ContinuousClock.now - start) / .seconds(1)
      guard attempt < limits.attempts, waited + pause < limits.overall else {
        throw ReadFailure.attemptsExhausted(detail, attempts: attempt, seconds: Int(waited))
      }
      Thread.sleep(forTimeInterval: pause)
    }
  }

  /// Whether `If-Range` can state the version of the file.
  private var hasStrongValidator: Bool { validator.map { !$0.hasPrefix("W/") } ?? false }

  private func keepTail(_ bytes: UnsafeRawBufferPointer) {
    guard !hasStrongValidator else { return }
    if bytes.count >= Self.tailBytes {
      tail = Array(bytes.suffix(Self.tailBytes))
    } else {
      tail.removeFirst(max(0, tail.count + bytes.count - Self.tailBytes))
      tail += bytes
    }
  }

  /// Reads the last bytes again, and compares them.
  private func compareTail(with exchange: HTTPExchange) throws(Problem) {
    var again: [UInt8] = []
    while again.count < tail.count {
      do throws(HTTPExchange.Broken) {
        let part = try exchange.part(atMost: tail.count - again.count, within: limits.idle)
        guard !part.isEmpty else { throw HTTPExchange.Broken.sentLessThanBefore }
        again += part
      } catch { throw Self.problem(error) }
    }
    guard again == tail else { throw changed }
  }

  /// Why an attempt failed.
  private enum Problem: Error {
    /// Another attempt may succeed; the server may state after how many seconds.
    case passing(String, after: Double? = nil)
    case final(ReadFailure)
  }

  private func take(_ target: UnsafeMutableRawBufferPointer) throws(Problem) -> Int {
    guard let exchange else { return 0 }
    let got: Int
    do throws(HTTPExchange.Broken) { got = try exchange.read(into: target, within: limits.idle) } catch {
      throw Self.problem(error)
    }
    if got == 0, target.count > 0, let total = end ?? total {
      throw .passing(ReadFailure.serverSent(position, of: total))
    }
    return got
  }

  // MARK: Connecting

  /// Opens an exchange whose body continues at `position`.
  private func connect() throws(Problem) -> HTTPExchange {
    var address = address
    for _ in 0...limits.redirects {
      var headers: [(String, String)] = []
      if position > 0 || end != nil {
        headers.append(("Range", "bytes=\(position - tail.count)-\(end.map { "\($0 - 1)" } ?? "")"))
        // `If-Range` must not have a weak validator (RFC 9110, section 13.1.5).
        if let validator, hasStrongValidator { headers.append(("If-Range", validator)) }
      }
      let exchange: HTTPExchange
      let head: HTTPExchange.Head
      do throws(HTTPExchange.Broken) {
        exchange = try HTTPExchange(address, headers: headers)
        head = try exchange.head(within: limits.idle)
      } catch { throw Self.problem(error) }
      if [301, 302, 303, 307, 308].contains(head.status) {
        guard let location = head["Location"], let next = address.redirected(to: location) else {
          throw .final(.forbiddenRedirect(to: head["Location"]))
        }
        address = next
        continue
      }
      try accept(head, exchange)
      return exchange
    }
    throw .final(.tooManyRedirects(limit: limits.redirects))
  }

  /// Checks that the body of an answer continues at `position`, in the same version of the file.
  private func accept(_ head: HTTPExchange.Head, _ exchange: HTTPExchange) throws(Problem) {
    switch head.status {
    case 200 where position == 0 || isNew:
      // The server does not support ranges, so the bytes before the part are skipped.
      try passOver(position - tail.count, of: exchange)
      try compareTail(with: exchange)
      validator = head["ETag"] ?? head["Last-Modified"]
      total = length(of: head)
    case 200:
      // The whole file: the server does not support ranges, or the file has changed.
      guard isSame(head), total == nil || length(of: head) == total else { throw changed }
      try passOver(position - tail.count, of: exchange)
      try compareTail(with: exchange)
    case 206:
      guard let range = head["Content-Range"].flatMap(ContentRange.init),
        range.start == position - tail.count
      else { throw .final(.wrongByteRange) }
      guard isSame(head), total == nil || range.total == nil || range.total == total else { throw changed }
      try compareTail(with: exchange)
      total = total ?? range.total
      validator = validator ?? head["ETag"] ?? head["Last-Modified"]
      if hasStrongValidator { tail = [] }
    case 404, 410:
      isRefused = true
      throw .final(.notOnServer(status: head.status))
    case 401, 403:
      isRefused = true
      throw .final(.accessDenied(status: head.status))
    case 407: throw Self.problem(.proxyWantsPassword)
    case 416:
      throw .final(.endsBefore(byte: position))
    case 408, 425, 429, 500...599:
      throw .passing(
        ReadFailure.serverAnswered(head.status), after: head["Retry-After"].flatMap { Double($0) })
    default:
      throw .final(.unexpectedStatus(head.status))
    }
  }

  /// Whether no answer has stated a version or a size yet.
  private var isNew: Bool { validator == nil && total == nil }

  private func length(of head: HTTPExchange.Head) -> Int? {
    head["Content-Length"].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
  }

  /// Whether an answer is about the same version of the file, as far as the server states it.
  private func isSame(_ head: HTTPExchange.Head) -> Bool {
    guard let validator else { return true }
    // A 206 may leave `Last-Modified` out (RFC 9110, section 15.3.7); `If-Range` has compared it then.
    let stated = [head["ETag"], head["Last-Modified"]]
    return stated.contains(validator) || hasStrongValidator && head.status == 206 && stated == [nil, nil]
  }

  private func passOver(_ count: Int, of exchange: HTTPExchange) throws(Problem) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var left = count
    while left > 0 {
      do throws(HTTPExchange.Broken) {
        let got = try exchange.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(left)), within: limits.idle)
        guard got > 0 else { throw HTTPExchange.Broken.sentLessThanBefore }
        left -= got
      } catch { throw Self.problem(error) }
    }
  }

  private var changed: Problem { .final(.changed(after: position)) }

  private static func problem(_ broken: HTTPExchange.Broken) -> Problem {
    guard let remedy = broken.remedy else { return .passing(broken.detail) }
    return .final(.connection(broken, remedy: remedy))
  }
}

/// `Content-Range: bytes 200-999/1000`
private struct ContentRange {
  let start: Int
  /// The size of the whole file; `nil` if the server does not state it.
  let total: Int?

  init?(_ text: String) {
    let words = text.split(whereSeparator: { " -/".contains($0) })
    guard words.count == 4, words[0] == "bytes", let start = Int(words[1]) else { return nil }
    self.start = start
    total = Int(words[3])
  }
}
