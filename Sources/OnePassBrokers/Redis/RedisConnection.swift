import CBrokers
import CCurl
import Foundation
import OnePassCore

/// A connection to a Redis server: commands go out, replies come in their order. Owned by one thread at a time.
///
/// libcurl makes the connection, also with TLS, and hiredis parses the replies.
final class RedisConnection {
  private let address: BrokerAddress
  private let easy: UnsafeMutableRawPointer
  private let parser: RedisParser
  /// hiredis keeps twice as much, which must stay below the 128 KiB that glibc maps and clears for each allocation.
  private var buffer = [UInt8](repeating: 0, count: 1 << 15)

  /// A failure of the connection, after which a new one is needed.
  struct Broken: Error { let reason: String }

  /// Connects and authenticates.
  /// - Throws: `Broken` if the server cannot be reached, `OnePassError` for the rest; see ``BrokerAddress/openReader(_:)``.
  init(_ address: BrokerAddress, _ properties: ConnectionProperties) throws {
    var reason: UnsafePointer<CChar>?
    guard cb_hiredis_load(&reason), let parser = RedisParser() else {
      throw OnePassError.noClientLibrary(
        address, "libhiredis", package: "libhiredis0.14",
        reason: reason.map { String(cString: $0) } ?? "no memory")
    }
    guard curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK, let easy = curl_easy_init() else {
      throw Broken(reason: "libcurl cannot be started")
    }
    (self.address, self.easy, self.parser) = (address, easy, parser)
    try connect(properties)
    try authenticate(properties)
  }

  deinit { curl_easy_cleanup(easy) }

  private func connect(_ properties: ConnectionProperties) throws {
    let server = address.servers[0]
    ccurl_set_text(easy, CURLOPT_URL, "\(address.isSecure ? "https" : "http")://\(server.text)")
    ccurl_set_number(easy, CURLOPT_CONNECT_ONLY, 1)
    // Redis is not spoken through proxies for HTTP.
    ccurl_set_text(easy, CURLOPT_PROXY, "")
    ccurl_set_number(easy, CURLOPT_NOSIGNAL, 1)
    ccurl_set_number(easy, CURLOPT_SSL_ENABLE_ALPN, 0)
    ccurl_set_number(easy, CURLOPT_CONNECTTIMEOUT, 10)
    ccurl_set_number(easy, CURLOPT_TCP_KEEPALIVE, 1)
    if let file = properties.ca { ccurl_set_text(easy, CURLOPT_CAINFO, file) }
    if let file = properties.certificate { ccurl_set_text(easy, CURLOPT_SSLCERT, file) }
    if let file = properties.key { ccurl_set_text(easy, CURLOPT_SSLKEY, file) }
    let code = curl_easy_perform(easy)
    let reason = String(cString: curl_easy_strerror(code))
    switch code {
    case CURLE_OK: return
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM:
      throw OnePassError.brokerDenied(address, reason: reason)
    case CURLE_SSL_CACERT_BADFILE: throw OnePassError.invalidBrokerProperty("ca", reason: reason)
    case CURLE_COULDNT_CONNECT:
      let number = Int32(ccurl_number(easy, CURLINFO_OS_ERRNO))
      throw Broken(reason: number == 0 ? reason : String(cString: strerror(number)))
    default: throw Broken(reason: reason)
    }
  }

  private func authenticate(_ properties: ConnectionProperties) throws {
    if properties.user != nil || properties.password != nil {
      // Redis accepts a user without a password with any.
      _ = try call(["AUTH"] + (properties.user.map { [$0] } ?? []) + [properties.password ?? ""])
    }
    if let database = properties.others["database"] { _ = try call(["SELECT", database]) }
    _ = try call(["PING"])
  }

  /// Sends a command and waits for its reply.
  /// - Precondition: No other reply is outstanding.
  /// - Throws: `Broken`, or `OnePassError` for an error that the server answers.
  func call(_ command: [String], within seconds: Double = 10) throws -> RedisValue {
    try send([command.map { Array($0.utf8) }])
    guard let reply = try reply(within: seconds) else {
      throw Broken(reason: "no answer within \(Int(seconds)) s")
    }
    if case .error(let words) = reply { throw Self.problem(words, address) }
    return reply
  }

  /// An error that the server answered.
  static func problem(_ answer: String, _ address: BrokerAddress) -> any Error {
    // A server that does not know AUTH repeats its arguments.
    let words = answer.firstRange(of: ", with args").map { String(answer[..<$0.lowerBound]) } ?? answer
    return switch words.prefix(while: { $0 != " " }) {
    case "WRONGPASS", "NOAUTH", "NOPERM": OnePassError.brokerDenied(address, reason: words)
    case "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN": Broken(reason: words)
    case "WRONGTYPE": OnePassError.noSuchStream(address, "stream")
    case _ where words.hasPrefix("ERR invalid password") || words.hasPrefix("ERR AUTH"):
      OnePassError.brokerDenied(address, reason: words)
    default: OnePassError.brokerFailed(address, reason: words)
    }
  }

  /// Whether entries of replies are handed over one by one.
  func handEntries(to handler: ((RedisValue) -> Void)?) { parser.entry = handler }

  // MARK: Bytes

  /// Sends commands, each a list of words.
  func send(_ commands: [[[UInt8]]]) throws {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(commands.reduce(0) { $0 + $1.reduce(16) { $0 + $1.count + 16 } })
    for command in commands {
      bytes += Array("*\(command.count)\r\n".utf8)
      for word in command {
        bytes += Array("$\(word.count)\r\n".utf8)
        bytes += word
        bytes += [13, 10]
      }
    }
    var start = 0
    while start < bytes.count {
      var sent = 0
      let code = bytes[start...].withUnsafeBytes { curl_easy_send(easy, $0.baseAddress, $0.count, &sent) }
      start += sent
      if code == CURLE_AGAIN {
        guard try wait(seconds: 30, forWriting: true) else {
          throw Broken(reason: "the server reads nothing")
        }
      } else if code != CURLE_OK {
        throw Broken(reason: String(cString: curl_easy_strerror(code)))
      }
    }
  }

  /// The next reply; `nil` if there is none within the time, or `isEnough` while it arrives.
  func reply(within seconds: Double, isEnough: () -> Bool = { false }) throws -> RedisValue? {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      do {
        if let reply = try parser.next() { return reply }
      } catch is RedisParser.ProtocolProblem {
        throw Broken(reason: "the server does not speak Redis's protocol")
      }
      if isEnough() { return nil }
      guard try receive(within: max(0, (end - .now) / .seconds(1))) else { return nil }
    }
  }

  /// Receives what the server has sent; `false` if there is nothing within the time.
  private func receive(within seconds: Double) throws -> Bool {
    var count = 0
    var code = buffer.withUnsafeMutableBytes { curl_easy_recv(easy, $0.baseAddress, $0.count, &count) }
    if code == CURLE_AGAIN {
      guard try wait(seconds: seconds, forWriting: false) else { return false }
      code = buffer.withUnsafeMutableBytes { curl_easy_recv(easy, $0.baseAddress, $0.count, &count) }
      if code == CURLE_AGAIN { return true }
    }
    guard code == CURLE_OK else { throw Broken(reason: String(cString: curl_easy_strerror(code))) }
    guard count > 0 else { throw Broken(reason: "the server closed the connection") }
    buffer.withUnsafeBytes { parser.feed(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    return true
  }

  private func wait(seconds: Double, forWriting: Bool) throws -> Bool {
    var socket = pollfd(
      fd: Int32(ccurl_socket(easy)), events: Int16(forWriting ? POLLOUT : POLLIN), revents: 0)
    guard socket.fd >= 0 else { throw Broken(reason: "the connection was closed") }
    let count = poll(&socket, 1, Int32(min(seconds, 3_600) * 1_000))
    return count > 0 || (count < 0 && errno == EINTR)
  }
}
