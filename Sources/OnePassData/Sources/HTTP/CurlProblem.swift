import CCurl
import Foundation

/// What a failure of libcurl means, in words without anything secret.
struct CurlProblem {
  let code: CURLcode
  let address: HTTPAddress
  /// `errno` of connecting, where the system told one.
  let systemError: Int32
  /// What a proxy answered that was to connect us.
  let proxyStatus: Int
  /// What OpenSSL says of those who signed the certificate; it says something only where they are not trusted.
  let verification: Int
  /// What libcurl says. It may hold a password, and is only searched.
  let words: String

  var meaning: HTTPExchange.Broken {
    switch code {
    case _ where proxyStatus == 407: .proxyWantsPassword
    case _ where proxyStatus >= 500: .init("the proxy does not connect to \(host) (\(proxyStatus))")
    case _ where proxyStatus >= 400:
      .init(
        "the proxy does not connect to \(host) (\(proxyStatus))",
        remedy: "Have it allowed there, or name the host in no_proxy.")
    case CURLE_COULDNT_RESOLVE_HOST: .init("the host \(host) is not known")
    case CURLE_COULDNT_RESOLVE_PROXY:
      .init("the proxy that the environment names (http_proxy, https_proxy, all_proxy) is not known")
    case CURLE_PROXY: .init("the proxy does not connect to \(host)")
    case CURLE_COULDNT_CONNECT where systemError != 0:
      .init("\(unreached) could not be reached: \(String(cString: strerror(systemError)))")
    case CURLE_COULDNT_CONNECT: .init("\(unreached) could not be reached")
    // No other time limit is libcurl's.
    case CURLE_OPERATION_TIMEDOUT: .init("\(unreached) could not be reached in time")
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR:
      .init("the server closed the connection")
    case CURLE_PEER_FAILED_VERIFICATION: certificate
    case CURLE_SSL_CACERT_BADFILE:
      .init(
        "the trusted certificates cannot be read",
        remedy: "Check the file that CURL_CA_BUNDLE or SSL_CERT_FILE names.")
    case CURLE_SSL_CONNECT_ERROR: .init("no TLS connection with \(host) came about")
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: .init("what \(host) answers is not HTTP")
    case CURLE_READ_ERROR:
      .init("the file .netrc in the home directory is damaged", remedy: "Repair it, or move it away.")
    // A fixed text.
    default: .init("the connection failed: \(String(cString: curl_easy_strerror(code)))")
    }
  }

  private var host: String { address.url.host ?? "" }

  /// The server, or the proxy before it.
  private var unreached: String {
    if let found = words.firstMatch(of: #/^Failed to connect to (\S+) port (\d+)(?: via (\S+))?/#)?.output {
      let port = address.url.port ?? (address.url.scheme?.lowercased() == "https" ? 443 : 80)
      if let proxy = found.3 { return "the proxy \(proxy)" }
      if found.1 != host || Int(found.2) != port { return "the proxy \(found.1)" }
    }
    return words.lowercased().contains("proxy") ? "the proxy" : "the server \(host)"
  }

  private var certificate: HTTPExchange.Broken {
    switch verification {
    // X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED.
    case 9, 10:
      .init(
        "the server's certificate is not valid at this time",
        remedy: "Check this machine's clock, and ask for a new certificate there.")
    case _ where words.contains("match"):
      .init(
        "the server's certificate is for another host than \(host)",
        remedy: "Write the name that the certificate is for.")
    default:
      .init(
        "the server's certificate is not trusted here",
        remedy: "If you trust it, name a file with the certificate that signed it: CURL_CA_BUNDLE=FILE.")
    }
  }
}

extension HTTPExchange.Broken {
  static let proxyWantsPassword = Self(
    "the proxy asks for a name and a password (407)",
    remedy: "Give both in the proxy's address: http_proxy=http://NAME:PASSWORD@HOST:PORT.")
}
