import Foundation
import OnePassCore

/// An http or https address.
///
/// ```
/// HTTPAddress.shown("https://user:pw@host/train.tar?signature=x")  // https://host/train.tar?…
/// ```
package struct HTTPAddress: Sendable {
  /// The address, with its secrets.
  package let url: URL

  /// Parses an address.
  /// - Throws: `OnePassError` (`usage`) if the text is not an http or https address.
  package init(_ text: String) throws {
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
      ["http", "https"].contains(scheme),
      url.host?.isEmpty == false
    else {
      throw OnePassError.isNoAddress(text)
    }
    self.url = url
  }

  private init(url: URL) { self.url = url }

  /// The address for messages: without the query and the password, which may grant access.
  var shown: String { Self.shown(url.absoluteString) }

  /// The target of a redirect; `nil` if it is not an http or https address, or if it would leave https.
  func redirected(to location: String) -> HTTPAddress? {
    guard let target = URL(string: location, relativeTo: url)?.absoluteURL,
      let address = try? HTTPAddress(target.absoluteString),
      !(url.scheme?.lowercased() == "https" && target.scheme?.lowercased() == "http")
    else { return nil }
    return address
  }

  /// Whether a path is written as an address.
  static func isMeant(by path: String) -> Bool {
    let start = path.prefix(8).lowercased()
    return start.hasPrefix("http://") || start.hasPrefix("https://")
  }

  /// Removes user names and passwords from the addresses in a text, and everything after the first query.
  package static func shown(_ text: String) -> String {
    guard let scheme = text.range(of: "[A-Za-z][A-Za-z0-9+.-]*://", options: .regularExpression) else {
      return text
    }
    var shown = text
    if let query = text[scheme.upperBound...].firstIndex(where: { $0 == "?" || $0 == "#" }) {
      shown = text[..<query] + "?…"
    }
    return shown.replacing(#/([A-Za-z]:\/\/)[^\/?,}@]*@/#) { $0.output.1 }
  }
}
