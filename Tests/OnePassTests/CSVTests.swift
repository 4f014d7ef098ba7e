import Testing

@testable import OnePass

@Suite("CSV") struct CSVTests {
  /// RFC 4180, section 2.
  @Test("Fields with commas, quotation marks and line breaks are quoted")
  func fieldsAreQuoted() {
    #expect(CSV.row(["a", "", "b c", "1.5"]) == "a,,b c,1.5")
    #expect(
      CSV.row(["a,b", "say \"x\"", "1\n2", "1\r\n2"]) == "\"a,b\",\"say \"\"x\"\"\",\"1\n2\",\"1\r\n2\"")
    // A quotation mark with a combining accent is one character of two scalars.
    #expect(CSV.row(["\"\u{301}"]) == "\"\"\"\u{301}\"")
  }
}
