/// Detects YAML whose keys would take a parser exponential time.
///
/// Yams compares the keys of a mapping with all aliases expanded, so a few lines can expand to billions of values
/// ("billion laughs"). Keys that are plain text are harmless.
enum YAMLKeys {
  /// Whether a text has aliases and possibly keys that are lists or mappings.
  ///
  /// In rare cases it is also true where both occur only in quotes or comments.
  static func mayExplode(in text: String) -> Bool {
    let bytes = Array(text.utf8)
    let blanks = Set(" \t\r\n".utf8)
    func isBlank(_ place: Int) -> Bool { !bytes.indices.contains(place) || blanks.contains(bytes[place]) }
    func isStart(_ place: Int) -> Bool { isBlank(place - 1) || "[{,:-".utf8.contains(bytes[place - 1]) }
    /// Whether the next non-blank character is a colon.
    func isColon(from place: Int) -> Bool {
      bytes[place...].first { !blanks.contains($0) } == UInt8(ascii: ":")
    }
    var (hasAlias, hasKey) = (false, false)
    for (place, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "*") where isStart(place) && !isBlank(place + 1):
        hasAlias = true
        let end =
          bytes[place...].firstIndex { blanks.contains($0) || ",]}:".utf8.contains($0) } ?? bytes.count
        hasKey = hasKey || isColon(from: end)
      case UInt8(ascii: "?"): hasKey = hasKey || isStart(place) || isBlank(place + 1)
      case UInt8(ascii: "]"), UInt8(ascii: "}"): hasKey = hasKey || isColon(from: place + 1)
      default: break
      }
    }
    return hasAlias && hasKey
  }
}
