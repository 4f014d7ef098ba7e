import CCurl
import Foundation

/// What a failure of libcurl means, in words without anything secret.
struct CurlProblem: CustomStringConvertible {
  let code: CURLcode
  let host: String
  /// `errno` of connecting, where the system told one.
  let systemError: Int32
  /// What a proxy answered that was to connect us.
  let proxyStatus: Int
  /// What became of verifying the certificate: 0 if it is signed by somebody trusted.
  let verification: Int
  /// What libcurl says. It may hold a password, and is only searched.
  let words: String

  var description: String {
    switch code {
    case _ where proxyStatus >= 400: "the proxy does not connect to \(host) (\(proxyStatus))"
    case CURLE_COULDNT_RESOLVE_HOST: "the host \(host) is not known"
    case CURLE_COULDNT_RESOLVE_PROXY:
      "the proxy that the environment names (http_proxy, https_proxy, all_proxy) is not known"
    case CURLE_PROXY: "the proxy does not connect to \(host)"
    case CURLE_COULDNT_CONNECT:
      "\(unreached) could not be reached\(systemError == 0 ? "" : ": " + String(cString: strerror(systemError)))"
    // No other time limit is libcurl's.
    case CURLE_OPERATION_TIMEDOUT: "\(unreached) could not be reached in time"
    case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR:
      "the server closed the connection"
    case CURLE_PEER_FAILED_VERIFICATION: certificate
    case CURLE_SSL_CACERT_BADFILE:
      "the file of trusted certificates cannot be read (CURL_CA_BUNDLE or SSL_CERT_FILE, where set)"
    case CURLE_SSL_CONNECT_ERROR: "no TLS connection with \(host) came about"
    case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY: "what \(host) answers is not HTTP"
    case CURLE_READ_ERROR: "the file .netrc in the home directory is not one"
    // A fixed text.
    default: "the connection failed: \(String(cString: curl_easy_strerror(code)))"
    }
  }

  /// The server, or the proxy before it.
  private var unreached: String {
    guard let target = words.firstMatch(of: #/^Failed to connect to ([^ ]+) port/#)?.output.1, target != host
    else { return words.lowercased().contains("proxy") ? "the proxy" : "the server \(host)" }
    return "the proxy \(target)"
  }

  private var certificate: String {
    switch verification {
    // X509_V_ERR_CERT_NOT_YET_VALID and _HAS_EXPIRED.
    case 9, 10: "the server's certificate is not valid today"
    case 0 where words.contains("match"): "the server's certificate is for another host than \(host)"
    default: "the server's certificate is not trusted here"
    }
  }
}
