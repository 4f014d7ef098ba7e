/// Writes CSV (RFC 4180, with LF line ends).
package enum CSV {
  /// A row, without its line end. Fields with commas, quotation marks or line breaks are quoted.
  package static func row(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") }

  private static func quoted(_ field: String) -> String {
    guard field.utf8.contains(where: isSpecial) else { return field }
    var text = String.UnicodeScalarView("\"".unicodeScalars)
    // Scalars, because a quotation mark with a combining character is another `Character`.
    for scalar in field.unicodeScalars {
      if scalar == "\"" { text.append(scalar) }
      text.append(scalar)
    }
    text.append("\"")
    return String(text)
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
    default: false
    }
  }
}
