import CCurl
import Foundation
import OnePassCore
import Synchronization

/// A transfer with libcurl, driven by the thread that owns it.
final class CurlTransfer {
  /// The return value of a body receiver that has no room. libcurl then keeps the part, stops reading from the network, and
  /// offers the part again when it is resumed.
  static let notNow = Int(CURL_WRITEFUNC_PAUSE)

  /// Whether the transfer has ended.
  private(set) var isOver = false
  /// The failure that ended the transfer; `nil` if it has not failed.
  private(set) var problem: HTTPExchange.Broken?

  private let address: HTTPAddress
  private let easy: UnsafeMutableRawPointer
  private let connections: CurlConnections
  private var headers: UnsafeMutablePointer<curl_slist>?
  /// libcurl's message about a failure. It may contain addresses with passwords, so it is searched but never shown.
  private let words = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  /// - Returns: `nil` if memory is exhausted.
  init?(to address: HTTPAddress) {
    guard let connections = CurlConnections.take() else { return nil }
    guard let easy = curl_easy_init() else {
      connections.giveBack()
      return nil
    }
    (self.address, self.easy, self.connections) = (address, easy, connections)
    words.initialize(repeating: 0)
    ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, words.baseAddress)
    ccurl_set_text(easy, CURLOPT_URL, address.url.absoluteString)
    ccurl_allow_only_http(easy)
    // HTTP/1.1 has one transfer per connection, which can be paused without holding up another.
    ccurl_set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    ccurl_set_number(easy, CURLOPT_PATH_AS_IS, 1)
    ccurl_set_number(easy, CURLOPT_CONNECTTIMEOUT, 20)
    // The block size of a shard reader.
    ccurl_set_number(easy, CURLOPT_BUFFERSIZE, 1 << 17)
    // Signals for timeouts would affect the whole process.
    ccurl_set_number(easy, CURLOPT_NOSIGNAL, 1)
    ccurl_leave_name_servers(easy)
    ccurl_set_number(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    ccurl_set_number(easy, CURLOPT_NETRC, Int(CURL_NETRC_OPTIONAL.rawValue))
    let trusted = TrustedCertificates.named
    if let file = trusted.file { ccurl_set_text(easy, CURLOPT_CAINFO, file) }
    if let folder = trusted.folder { ccurl_set_text(easy, CURLOPT_CAPATH, folder) }
  }

  deinit {
    withoutPipeSignal {
      curl_multi_remove_handle(connections.multi, easy)
      curl_easy_cleanup(easy)
    }
    connections.giveBack()
    curl_slist_free_all(headers)
    words.deallocate()
  }

  // MARK: The request

  func set(headers fields: [(String, String)]) {
    for (name, value) in fields {
      // A line break in a value would start another header.
      let value = String(String.UnicodeScalarView(value.unicodeScalars.filter { $0.value >= 0x20 }))
      headers = curl_slist_append(headers, value.isEmpty ? "\(name):" : "\(name): \(value)") ?? headers
    }
    ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headers)
  }

  func set(body: [UInt8]) {
    _ = body.withUnsafeBytes { ccurl_set_body(easy, $0.baseAddress, $0.count) }
  }

  /// Sets the receiver of the answer, which must outlive the transfer.
  func hand(
    to receiver: UnsafeMutableRawPointer, header: @escaping ccurl_receiver, body: @escaping ccurl_receiver
  ) {
    ccurl_set_receiver(easy, CURLOPT_HEADERFUNCTION, header)
    ccurl_set_pointer(easy, CURLOPT_HEADERDATA, receiver)
    ccurl_set_receiver(easy, CURLOPT_WRITEFUNCTION, body)
    ccurl_set_pointer(easy, CURLOPT_WRITEDATA, receiver)
    curl_multi_add_handle(connections.multi, easy)
  }

  // MARK: The transfer

  /// Sends and receives until `isEnough`, the end of the transfer, or the time limit.
  /// - Parameter isResumed: Whether the receiver had no room for a part of the body before.
  func drive(
    within seconds: Double, isResumed: Bool = false, until isEnough: () -> Bool
  ) throws(HTTPExchange.Broken) {
    let end = ContinuousClock.now + .seconds(seconds)
    if isResumed, !isOver { _ = withoutPipeSignal { curl_easy_pause(easy, CURLPAUSE_CONT) } }
    while !isEnough(), !isOver {
      var running: Int32 = 0
      let code = withoutPipeSignal { curl_multi_perform(connections.multi, &running) }
      guard code == CURLM_OK else {
        throw HTTPExchange.Broken.libcurl(String(cString: curl_multi_strerror(code)))
      }
      noteEnd()
      if isEnough() || isOver { return }
      let left = (end - .now) / .seconds(1)
      guard left > 0 else { return }
      curl_multi_poll(connections.multi, nil, 0, Int32(min(left * 1_000 + 1, 1e6)), nil)
    }
  }

  private func noteEnd() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(connections.multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE else { continue }
      isOver = true
      let code = message.pointee.data.result
      if code != CURLE_OK { problem = meaning(of: code) }
    }
  }

  private func meaning(of code: CURLcode) -> HTTPExchange.Broken {
    CurlProblem(
      code: code, address: address, systemError: Int32(ccurl_number(easy, CURLINFO_OS_ERRNO)),
      proxyStatus: ccurl_number(easy, CURLINFO_HTTP_CONNECTCODE),
      verification: ccurl_number(easy, CURLINFO_SSL_VERIFYRESULT),
      words: words.baseAddress.map { String(cString: $0) } ?? ""
    ).meaning
  }
}

/// A pool of open connections, used by one transfer at a time. Later transfers to the same server reuse the connections and
/// the loaded certificates.
///
/// `@unchecked Sendable` because one thread has exclusive use from `take` to `giveBack`, which take the lock.
private struct CurlConnections: @unchecked Sendable {
  let multi: UnsafeMutableRawPointer

  private static let unused = Mutex<[CurlConnections]>([])
  private static let most = 4
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

  static func take() -> CurlConnections? {
    guard isReady else { return nil }
    if let kept = unused.withLock({ $0.popLast() }) { return kept }
    return curl_multi_init().map(CurlConnections.init)
  }

  func giveBack() {
    let isKept = Self.unused.withLock { unused in
      guard unused.count < Self.most else { return false }
      unused.append(self)
      return true
    }
    if !isKept { withoutPipeSignal { _ = curl_multi_cleanup(multi) } }
  }
}

/// The certificates that environment variables set instead of the system's, with the same variables as the program `curl`.
private struct TrustedCertificates {
  var file: String?
  var folder: String?

  static let named: TrustedCertificates = {
    let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
    if let file = environment["CURL_CA_BUNDLE"] { return TrustedCertificates(file: file) }
    return TrustedCertificates(file: environment["SSL_CERT_FILE"], folder: environment["SSL_CERT_DIR"])
  }()
}

/// Blocks SIGPIPE in this thread. With older versions of libcurl, TLS writes to connections that the server has closed, and
/// the signal would end the process.
private func withoutPipeSignal<Result>(_ body: () -> Result) -> Result {
  var (pipe, before, pending) = (sigset_t(), sigset_t(), sigset_t())
  sigemptyset(&pipe)
  sigaddset(&pipe, SIGPIPE)
  pthread_sigmask(SIG_BLOCK, &pipe, &before)
  defer {
    sigpending(&pending)
    if sigismember(&before, SIGPIPE) == 0, sigismember(&pending, SIGPIPE) == 1 {
      var number: Int32 = 0
      sigwait(&pipe, &number)
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
  return body()
}
