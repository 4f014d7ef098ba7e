import Foundation
import OnePassCore

/// An http or https URL, which prints without its secrets.
///
/// ```
/// print(try HTTPAddress("https://user:pw@host/train.tar?signature=x"))  // https://host/train.tar?…
/// ```
package struct HTTPAddress: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
  /// The URL, with its secrets. Only for requests.
  package let url: URL

  /// Parses a URL. An `@` in the password need not be percent-encoded.
  /// - Throws: `OnePassError` (`usage`) if the text is not an http or https URL, or an unencoded character of the password ends
  ///   the host.
  package init(_ text: String) throws {
    let parts = URLText(text)
    guard parts.isUnambiguous else { throw OnePassError.ambiguousUserInfo(text) }
    let secret = parts.firstUserInfo
    let userInfo = text[secret].dropLast().replacing("@", with: "%40") + text[secret].suffix(1)
    guard let url = URL(string: text.replacingCharacters(in: secret, with: String(userInfo))),
      let scheme = url.scheme?.lowercased(),
      ["http", "https"].contains(scheme),
      url.host?.isEmpty == false
    else {
      throw OnePassError.isNoAddress(text)
    }
    self.url = url
  }

  private init(url: URL) { self.url = url }

  /// The URL without user name, password and query, which may grant access.
  package var description: String { URLText(url.absoluteString).withoutSecrets }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["url": description]) }

  /// The target of a redirect; `nil` if it is not an http or https address, or if it would leave https.
  func redirected(to location: String) -> HTTPAddress? {
    guard let target = URL(string: location, relativeTo: url)?.absoluteURL,
      let address = try? HTTPAddress(target.absoluteString),
      !(url.scheme?.lowercased() == "https" && target.scheme?.lowercased() == "http")
    else { return nil }
    return address
  }

  /// Whether a path is written as a URL, also as a mistyped one or one of another scheme, which ``init(_:)`` refuses.
  static func isMeant(by path: String) -> Bool { URLText(path).isURL }

  /// A text without the secrets of the URLs in it; see ``URLText``.
  package static func shown(_ text: String) -> String { URLText(text).withoutSecrets }
}
