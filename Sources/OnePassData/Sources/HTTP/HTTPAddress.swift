import Foundation
import OnePassCore

/// The address of something on a server.
package struct HTTPAddress: Sendable {
  package let url: URL

  /// - Throws: `OnePassError` (`usage`) if it is no address.
  package init(_ text: String) throws {
    guard let url = URL(string: text), let scheme = url.scheme?.lowercased(),
      ["http", "https"].contains(scheme),
      url.host?.isEmpty == false
    else {
      throw OnePassError(
        .usage, "\(Self.shown(text)) is no address. Write https://HOST/PATH.")
    }
    self.url = url
  }

  private init(url: URL) { self.url = url }

  /// What people see of it: without the query and the password, which may be what opens the file.
  var shown: String { Self.shown(url.absoluteString) }

  /// Where the server sends us; `nil` if that is no address of a server, or one without TLS though this one has it.
  func redirected(to location: String) -> HTTPAddress? {
    guard let target = URL(string: location, relativeTo: url)?.absoluteURL,
      let address = try? HTTPAddress(target.absoluteString),
      !(url.scheme?.lowercased() == "https" && target.scheme?.lowercased() == "http")
    else { return nil }
    return address
  }

  /// Whether a path is meant as an address.
  static func isMeant(by path: String) -> Bool {
    let start = path.prefix(8).lowercased()
    return start.hasPrefix("http://") || start.hasPrefix("https://")
  }

  /// A text that holds an address, or several, without what opens the files: of all that follows the first query only a
  /// sign, and no name and password.
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
