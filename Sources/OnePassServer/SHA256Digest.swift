import CCrypto
import Foundation

/// SHA-256, for the policy of the page.
enum SHA256Digest {
  static func base64(of bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
      preconditionFailure("SHA-256 must be available.")
    }
    return Data(digest).base64EncodedString()
  }
}
