import OnePassCore

extension OnePassError {
  static func isNoAddress(_ text: String) -> OnePassError {
    OnePassError(.usage, "\(HTTPAddress.shown(text)): not an HTTP address; write https://HOST/PATH.")
  }

  static func ambiguousUserInfo(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(HTTPAddress.shown(text)): an @ follows the host and its port; "
        + "percent-encode /, ? and # in the password, or the @ in the path (%40).")
  }

  /// - Parameter kind: The kind of source, as `folder`.
  static func urlOfLocalSource(_ specification: String, kind: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(HTTPAddress.shown(specification)): \(kind): reads local files only; use wds: or hf: for a URL.")
  }

  static func urlOfList(_ list: String) -> OnePassError {
    OnePassError(.usage, "@\(HTTPAddress.shown(list)): a list must be a local file; download it first.")
  }
}

// MARK: Answers that end the reading of a remote file

extension ReadFailure {
  private static let restart = "restore the old file and continue with --resume, or start the run again"

  private static func remote(_ detail: String, _ remedy: String) -> ReadFailure {
    ReadFailure(kind: .io, detail: detail, remedy: remedy)
  }

  /// - Parameter problem: What happened in the last attempt.
  static func attemptsExhausted(_ problem: String, attempts: Int, seconds: Int) -> ReadFailure {
    let count = attempts == 1 ? "1 attempt" : "\(attempts) attempts in \(seconds) s"
    return remote("\(problem) (\(count))", "check the connection and the server, then continue with --resume")
  }

  /// - Parameter broken: A problem that another attempt would not solve.
  static func connection(_ broken: HTTPExchange.Broken, remedy: String) -> ReadFailure {
    remote(broken.detail, remedy)
  }

  static func forbiddenRedirect(to location: String?) -> ReadFailure {
    remote(
      "the server redirects to \(location.map(HTTPAddress.shown) ?? "no address")",
      "only http and https are followed, and never from https to http: pass the file's own address")
  }

  static func tooManyRedirects(limit: Int) -> ReadFailure {
    remote("more than \(limit) redirects", "pass the file's own address")
  }

  static var wrongByteRange: ReadFailure {
    remote("the server sent a different byte range than requested", "download the file first")
  }

  static func notOnServer(status: Int) -> ReadFailure {
    remote("no such file on the server (\(status))", "check the address and the range")
  }

  static func accessDenied(status: Int) -> ReadFailure {
    remote(
      "access denied (\(status))",
      "if the address is signed, it may have expired: sign it again and continue with --resume")
  }

  static func endsBefore(byte position: Int) -> ReadFailure {
    remote(
      "the file changed: it ends before byte \(position), where reading was interrupted (416)", restart)
  }

  static func changed(after bytes: Int) -> ReadFailure {
    remote("the file changed after \(bytes) bytes were read", restart)
  }

  static func unexpectedStatus(_ status: Int) -> ReadFailure {
    remote(serverAnswered(status), "check the address")
  }

  static func serverAnswered(_ status: Int) -> String { "the server answered \(status)" }

  static func serverSent(_ bytes: Int, of total: Int) -> String {
    "the server sent \(bytes) of \(total) bytes"
  }
}

// MARK: Failures of a connection

extension HTTPExchange.Broken {
  static var outOfMemory: Self { Self("libcurl is out of memory") }
  static var closedByServer: Self { Self("the server closed the connection") }
  static var sentLessThanBefore: Self { Self("the server sent fewer bytes than before") }
  static func silentServer(seconds: Double) -> Self { Self("the server was silent for \(Int(seconds)) s") }
  static func noData(seconds: Double) -> Self { Self("no data was received for \(Int(seconds)) s") }
  static func libcurl(_ reason: String) -> Self { Self("libcurl failed: \(reason)") }
  static func failed(_ reason: String) -> Self { Self("the connection failed: \(reason)") }
  static func unknownHost(_ host: String) -> Self { Self("unknown host \(host)") }
  static func unreachable(_ peer: String) -> Self { Self("cannot reach \(peer)") }
  static func unreachable(_ peer: String, reason: String) -> Self { Self("cannot reach \(peer): \(reason)") }
  static func connectionTimedOut(_ peer: String) -> Self { Self("connecting to \(peer) timed out") }
  static func tlsFailed(with host: String) -> Self { Self("the TLS handshake with \(host) failed") }
  static func isNotHTTP(_ host: String) -> Self { Self("\(host) does not answer with HTTP") }

  static var unknownProxy: Self {
    Self("unknown proxy host in http_proxy, https_proxy or all_proxy")
  }

  static func proxyFailed(host: String) -> Self { Self("the proxy cannot connect to \(host)") }

  static func proxyFailed(host: String, status: Int) -> Self {
    Self("the proxy cannot connect to \(host) (\(status))")
  }

  static func proxyRefused(host: String, status: Int) -> Self {
    Self(
      "the proxy refuses to connect to \(host) (\(status))",
      remedy: "allow the host in the proxy, or add it to no_proxy")
  }

  static var proxyWantsPassword: Self {
    Self(
      "the proxy requires a user name and a password (407)",
      remedy: "add both to the proxy's address: http_proxy=http://NAME:PASSWORD@HOST:PORT")
  }

  static var unreadableCertificates: Self {
    Self(
      "the trusted certificates cannot be read",
      remedy: "check the file in CURL_CA_BUNDLE or SSL_CERT_FILE")
  }

  static var certificateNotValidNow: Self {
    Self(
      "the server's certificate has expired or is not valid yet",
      remedy: "check this machine's clock, or have the certificate renewed")
  }

  static func certificateForAnotherHost(than host: String) -> Self {
    Self(
      "the server's certificate is not for host \(host)",
      remedy: "use a host name that the certificate covers")
  }

  static var untrustedCertificate: Self {
    Self(
      "the server's certificate is not trusted",
      remedy: "if you trust its issuer, set CURL_CA_BUNDLE to a file with the issuer's certificate")
  }

  static var damagedNetrc: Self {
    Self("~/.netrc is damaged", remedy: "correct or move it")
  }
}
