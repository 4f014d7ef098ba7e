/// The secrets of the URLs in a text: user names, passwords, queries and fragments.
///
/// A URL is split as curl splits it: the authority ends at the first `/`, `?` or `#`, and user name and password end at its last
/// `@`. A password with a raw `/`, `?` or `#` would end the authority early. Therefore, where an `@` follows an authority with a
/// user name or a port, everything before that `@` counts as user name and password.
///
/// ```
/// URLText("wds:https://me:pw@host/train-{0..3}.tar?signature=x").withoutSecrets  // wds:https://host/train-{0..3}.tar?…
/// ```
package struct URLText: Sendable {
  private let text: String
  /// Where the authority of each URL starts, after the slashes.
  private let starts: [String.Index]

  /// A text that may contain URLs, such as a source specification, a pattern or the answer of a server.
  package init(_ text: String) {
    self.text = text
    starts = Self.authorities(in: Array(text.utf8)).map { text.utf8.index(text.startIndex, offsetBy: $0) }
  }

  /// The names of the schemes that are recognised without `://`, also where a letter is missing or doubled: `https:/h`, `htps//h`.
  private static let mistyped: Set<String> = [
    "http", "https", "htp", "htps", "ttp", "ttps", "hhttp", "hhttps", "htttp", "htttps",
  ]

  /// The offsets after a scheme and its slashes.
  private static func authorities(in bytes: [UInt8]) -> [Int] {
    let (slash, colon) = (UInt8(ascii: "/"), UInt8(ascii: ":"))
    var found: [Int] = []
    var position = 0
    while let first = bytes[position...].firstIndex(of: slash) {
      let end = bytes[first...].firstIndex { $0 != slash } ?? bytes.count
      let hasColon = first > 0 && bytes[first - 1] == colon
      let word = scheme(before: hasColon ? first - 1 : first, in: bytes)
      let isScheme = end - first >= 2 && hasColon && word.contains { (65...90).contains($0 & 0xDF) }
      if isScheme
        || (hasColon || end - first >= 2)
          && mistyped.contains(String(decoding: word, as: UTF8.self).lowercased())
      {
        found.append(end)
      }
      position = end
    }
    return found
  }

  /// The letters, digits, `+`, `-` and `.` before an offset.
  private static func scheme(before end: Int, in bytes: [UInt8]) -> ArraySlice<UInt8> {
    let start = bytes[..<end].lastIndex { byte in
      !((65...90).contains(byte & 0xDF) || (48...57).contains(byte) || [43, 45, 46].contains(byte))
    }
    return bytes[(start.map { $0 + 1 } ?? 0)..<end]
  }

  /// Whether the text starts with a URL, also a mistyped one.
  package var isURL: Bool {
    // A path before the scheme would have a slash or a colon.
    guard let start = starts.first, text.first?.isLetter == true else { return false }
    let scheme = text[..<start].drop { $0 != "/" && $0 != ":" }
    return scheme.allSatisfy { $0 == "/" || $0 == ":" } && !scheme.dropFirst().contains(":")
  }

  /// The text without user names and passwords, up to the first query or fragment.
  package var withoutSecrets: String {
    var shown = ""
    var position = text.startIndex
    for (index, start) in starts.enumerated() where start >= position {
      shown += text[position..<start]
      position = userInfo(at: start).upperBound
      let next = index + 1 < starts.count ? max(starts[index + 1], position) : text.endIndex
      if let query = text[position..<next].firstIndex(where: { $0 == "?" || $0 == "#" }) {
        return shown + text[position..<query] + "?…"
      }
    }
    return shown + text[position...]
  }

  /// The user name and password of the URL at the start of the text, with the `@`; empty if there are none.
  package var firstUserInfo: Range<String.Index> {
    guard isURL, let start = starts.first else { return text.startIndex..<text.startIndex }
    return userInfo(at: start)
  }

  /// Whether the URL at the start of the text has its user name and password within the authority, or none.
  package var isUnambiguous: Bool {
    guard let start = starts.first else { return true }
    let end = authorityEnd(from: start)
    return userInfo(at: start).upperBound <= end
  }

  private func authorityEnd(from start: String.Index) -> String.Index {
    text[start...].firstIndex { "/?#".contains($0) } ?? text.endIndex
  }

  /// The user name and password of the URL whose authority starts at an index, with the `@`; empty if there are none.
  private func userInfo(at start: String.Index) -> Range<String.Index> {
    let end = authorityEnd(from: start)
    let authority = text[start..<end]
    // The colons of an IPv6 address are in brackets.
    let address = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
    let hasUserOrPort =
      authority.contains("@") || (address.map { authority[$0...] } ?? authority).contains(":")
    guard hasUserOrPort, let at = text[start...].lastIndex(of: "@") else { return start..<start }
    return start..<text.index(after: at)
  }
}
