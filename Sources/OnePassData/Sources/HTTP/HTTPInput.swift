import Foundation
import OnePassCore

/// A file on a server, read once from beginning to end. Owned by one thread.
///
/// A connection that breaks, stalls or ends early is made again, and the file goes on from the byte at which it broke (a
/// `Range` with `If-Range`, RFC 9110 sections 13.1.5 and 14). A file that is another one by then is an error, never read on.
final class HTTPInput: ByteInput {
  let isFile = false
  let offset: Int? = nil

  private let address: HTTPAddress
  private let limits: HTTPLimits
  private var exchange: HTTPExchange?
  /// Where the next byte lies.
  private var position: Int
  /// Behind the last byte that is asked for; the file's end if `nil`.
  private let end: Int?
  /// What tells this content from another, where the server says so: `ETag`, or else `Last-Modified`.
  private var validator: String?
  private var total: Int?
  /// The size of the whole file in bytes, where the server has said it.
  var wholeSize: Int? { total }
  /// Whether the server said that there is no such file, or that it is not for us.
  private(set) var isRefused = false

  /// - Parameters:
  ///   - range: The part to read, in bytes; the whole file if `nil`.
  ///   - other: What has read another part of the same file, which must not have changed since.
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
        throw ReadFailure(
          kind: .io,
          detail:
            "\(detail), and so it was \(attempt == 1 ? "once" : "\(attempt) times in \(Int(waited)) s")",
          remedy: "Check the connection and the server, then go on with --resume.")
      }
      Thread.sleep(forTimeInterval: pause)
    }
  }

  /// Why an attempt failed.
  private enum Problem: Error {
    /// Another attempt may succeed; the server may say after how many seconds.
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
      throw .passing("the server sent \(position) of \(total) bytes")
    }
    return got
  }

  // MARK: Asking

  /// An exchange whose body goes on at `position`.
  private func connect() throws(Problem) -> HTTPExchange {
    var address = address
    for _ in 0...limits.redirects {
      var headers: [(String, String)] = []
      if position > 0 || end != nil {
        headers.append(("Range", "bytes=\(position)-\(end.map { "\($0 - 1)" } ?? "")"))
        // A weak validator may not stand here (RFC 9110, section 13.1.5).
        if let validator, !validator.hasPrefix("W/") { headers.append(("If-Range", validator)) }
      }
      let exchange: HTTPExchange
      let head: HTTPExchange.Head
      do throws(HTTPExchange.Broken) {
        exchange = try HTTPExchange(address, headers: headers)
        head = try exchange.head(within: limits.idle)
      } catch { throw Self.problem(error) }
      if [301, 302, 303, 307, 308].contains(head.status) {
        guard let location = head["Location"], let next = address.redirected(to: location) else {
          throw failure(
            "the server sends us to \(HTTPAddress.shown(head["Location"] ?? "nowhere"))",
            "Only addresses with http and https are followed, and none from https to http: name the file's own address."
          )
        }
        address = next
        continue
      }
      try accept(head, exchange)
      return exchange
    }
    throw failure(
      "the server sends us from address to address more than \(limits.redirects) times",
      "Name the file's own address.")
  }

  /// Sees that the body of this answer goes on where we are, in the same content.
  private func accept(_ head: HTTPExchange.Head, _ exchange: HTTPExchange) throws(Problem) {
    switch head.status {
    case 200 where position == 0 || isNew:
      // Without ranges what lies before the part is passed over.
      try passOver(position, of: exchange)
      validator = head["ETag"] ?? head["Last-Modified"]
      total = length(of: head)
    case 200:
      // The whole file: because the server knows no ranges, or because it is another file.
      guard isSame(head), total == nil || length(of: head) == total else { throw changed }
      try passOver(position, of: exchange)
    case 206:
      guard let range = head["Content-Range"].flatMap(ContentRange.init), range.start == position else {
        throw failure("the server answers with another part than was asked for", "Fetch the file first.")
      }
      guard isSame(head), total == nil || range.total == nil || range.total == total else { throw changed }
      total = total ?? range.total
      validator = validator ?? head["ETag"] ?? head["Last-Modified"]
    case 404, 410:
      isRefused = true
      throw failure("the server has no such file (\(head.status))", "Check the address and the range.")
    case 401, 403:
      isRefused = true
      throw failure(
        "the server refuses it (\(head.status))",
        "Where the address is signed, it may have expired: sign it again, and go on with --resume.")
    case 407: throw Self.problem(.proxyWantsPassword)
    case 416:
      throw failure(
        "it ends before byte \(position), at which it broke off (416)",
        "It is another file than before: begin anew, or bring the old one back and go on with --resume.")
    case 408, 425, 429, 500...599:
      throw .passing(
        "the server answers \(head.status)", after: head["Retry-After"].flatMap { Double($0) })
    default:
      throw failure("the server answers \(head.status)", "Check the address.")
    }
  }

  /// Whether no answer has been accepted yet.
  private var isNew: Bool { validator == nil && total == nil }

  private func length(of head: HTTPExchange.Head) -> Int? {
    head["Content-Length"].flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
  }

  /// Whether an answer is about the content of the first one, as far as the server tells.
  private func isSame(_ head: HTTPExchange.Head) -> Bool {
    guard let validator else { return true }
    return [head["ETag"], head["Last-Modified"]].contains(validator)
  }

  private func passOver(_ count: Int, of exchange: HTTPExchange) throws(Problem) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var left = count
    while left > 0 {
      do throws(HTTPExchange.Broken) {
        let got = try exchange.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(left)), within: limits.idle)
        guard got > 0 else { throw HTTPExchange.Broken("the server sent less than before") }
        left -= got
      } catch { throw Self.problem(error) }
    }
  }

  private var changed: Problem {
    failure(
      "it is another file than when it began, after \(position) bytes",
      "Bring the old one back and go on with --resume, or begin anew.")
  }

  private static func problem(_ broken: HTTPExchange.Broken) -> Problem {
    guard let remedy = broken.remedy else { return .passing(broken.detail) }
    return .final(ReadFailure(kind: .io, detail: broken.detail, remedy: remedy))
  }

  private func failure(_ detail: String, _ remedy: String) -> Problem {
    .final(ReadFailure(kind: .io, detail: detail, remedy: remedy))
  }
}

/// `Content-Range: bytes 200-999/1000`
private struct ContentRange {
  let start: Int
  /// The size of the whole file, where it is told.
  let total: Int?

  init?(_ text: String) {
    let words = text.split(whereSeparator: { " -/".contains($0) })
    guard words.count == 4, words[0] == "bytes", let start = Int(words[1]) else { return nil }
    self.start = start
    total = Int(words[3])
  }
}
