/// Looks for what takes a YAML parser forever.
///
/// To compare the keys of a mapping, Yams takes all of a key, with each alias in it written out: some lines can stand for billions
/// of values ("billion laughs"). Keys that are plain text are harmless.
enum YAMLKeys {
  /// Whether a text has aliases and may have keys that are no plain text; seldom also where both are only in quotes or comments.
  static func mayExplode(in text: String) -> Bool {
    let bytes = Array(text.utf8)
    let blanks = Set(" \t\r\n".utf8)
    func isBlank(_ place: Int) -> Bool { !bytes.indices.contains(place) || blanks.contains(bytes[place]) }
    func isStart(_ place: Int) -> Bool { isBlank(place - 1) || "[{,:-".utf8.contains(bytes[place - 1]) }
    /// Whether a colon is the next thing that stands here.
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
