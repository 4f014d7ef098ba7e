import CCurl
import Foundation

/// A failure of libcurl, translated into an error message without secrets.
struct CurlProblem {
  let code: CURLcode
  let address: HTTPAddress
  /// The `errno` of connecting; 0 if there is none.
  let systemError: Int32
  /// The status with which a proxy answered CONNECT.
  let proxyStatus: Int
  /// OpenSSL's verification result; 0 if the certificate is trusted.
  let verification: Int
  /// libcurl's message. It may contain a password, so it is searched but never shown.
  let words: String

  var meaning: HTTPExchange.Broken {
    switch code {
    case _ where proxyStatus == 407: .proxyWantsPassword
    case _ where proxyStatus >= 500: .proxyFailed(host: host, status: proxyStatus)
    case _ where proxyStatus >= 400: .proxyRefused(host: host, status: proxyStatus)
    case CURLE_COULDNT_RESOLVE_HOST: .unknownHost(host)
    case CURLE_COULDNT_RESOLVE_PROXY: .unknownProxy
    case CURLE_PROXY: .proxyFailed(host: host)
    case CURLE_COULDNT_CONNECT where systemError != 0:
      .unreachable(unreached, reason: String(cString: strerror(systemError)))
    case CURLE_COULDNT_CONNECT: .unreachable(unreached)
    // The connection timeout is the only one set in libcurl.
    case CURLE_OPERATION_TIMEDOUT: .connectionTimedOut(unreached)
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR: .closedByServer
    case CURLE_PEER_FAILED_VERIFICATION: certificate
    case CURLE_SSL_CACERT_BADFILE: .unreadableCertificates
    case CURLE_SSL_CONNECT_ERROR: .tlsFailed(with: host)
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: .isNotHTTP(host)
    case CURLE_READ_ERROR: .damagedNetrc
    // libcurl's text for a code is constant and has no secrets.
    default: .failed(String(cString: curl_easy_strerror(code)))
    }
  }

  private var host: String { address.url.host ?? "" }

  /// The peer of the failed connection: the server or its proxy.
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
    case 9, 10: .certificateNotValidNow
    case _ where words.contains("match"): .certificateForAnotherHost(than: host)
    default: .untrustedCertificate
    }
  }
}
