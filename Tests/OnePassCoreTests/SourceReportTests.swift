import Foundation
import OnePassCore
import Testing

@Suite("Reports of sources") struct SourceReportTests {
  @Test("Entries are counted by reason, with the first as the example")
  func entriesAreCounted() throws {
    var report = SourceReport()
    #expect(report.isEmpty && report.notices(of: "s").isEmpty)
    for (reason, name) in [("blank", "a"), ("torn", "b"), ("blank", "c"), ("blank", "d"), ("torn", "e")] {
      report.leaveOut(LeftOutReason(rawValue: reason), example: name)
    }
    #expect(report.counts == ["blank": 3, "torn": 2] && report.leftOutCount == 5)
    #expect(
      report.notices(of: "s") == [
        "s: left out 5 entries: blank: 3, for example a; torn: 2, for example b."
      ])
    let read = try JSONDecoder().decode(SourceReport.self, from: JSONEncoder().encode(report))
    #expect(read == report)
  }

  @Test("A verdict counts an entry exactly if it is left out")
  func verdictsCount() {
    var report = SourceReport()
    #expect(report.take(Verdict.take(3), named: "a") == 3 && report.isEmpty)
    #expect(report.take(Verdict<Int>.leaveOut("blank"), named: "b") == nil)
    #expect(report.leftOut.map(\.example) == ["b"])
  }

  @Test("A decision is recorded once, with the readings that were not used")
  func decisionsAreRecordedOnce() {
    var report = SourceReport()
    for taken in ["left", "right"] { report.choose("the channel", taken: taken, others: ["depth"]) }
    #expect(report.choices.count == 1)
    #expect(report.notices(of: "s") == ["s: chose the channel: left, not depth."])
  }

  /// As many reasons as files, where each file name made one, would fill the record.
  @Test("Reasons beyond a limit are counted together")
  func reasonsAreLimited() {
    var report = SourceReport()
    for number in 0..<1_000 { report.leaveOut(LeftOutReason(rawValue: "\(number)"), example: "x") }
    #expect(report.leftOut.count == 64 && report.leftOutCount == 1_000)
    #expect(report.counts["other reasons"] == 1_000 - 63)
    let notice = report.notices(of: "s").first ?? ""
    #expect(notice.contains("58 more reasons") && notice.count < 400)
  }

  @Test("Reports of parts add up")
  func partsAddUp() {
    var (first, second) = (SourceReport(), SourceReport())
    first.leaveOut("blank", example: "a")
    second.leaveOut("torn", example: "b")
    second.leaveOut("blank", example: "c")
    first.add(second)
    #expect(first.counts == ["blank": 2, "torn": 1])
    #expect(first.leftOut.map(\.example) == ["a", "b"])
  }

  @Test("A strict check passes for an empty report only")
  func strictness() throws {
    var report = SourceReport()
    try report.requireEmpty(of: "s")
    report.choose("the channel", taken: "left", others: [])
    do {
      try report.requireEmpty(of: "s")
      Issue.record("no error")
    } catch let error as OnePassError {
      #expect(error.code == .badData)
      #expect(
        error.message == "--strict: s: chose the channel: left. Correct the data or omit --strict.")
    }
  }

  @Test(
    "Names that are not UTF-8 and control characters are escaped",
    arguments: [
      (Array("über/é.png".utf8), "über/é.png"), ([0x63, 0xE9, 0x2E], "c\\xE9."), ([0xC3, 0x28], "\\xC3("),
      (Array("a\nb".utf8), "a\\x0Ab"), (Array("é".utf8) + [0xFF], "é\\xFF"), ([], ""),
      ([0xE2, 0x82], "\\xE2\\x82"),
    ] as [([UInt8], String)])
  func namesAreEscaped(bytes: [UInt8], text: String) {
    #expect(String(escaping: bytes) == text)
  }

  @Test("The place of a label is parsed")
  func labelKeys() throws {
    for text in ["cls", "folder", "json:label", "json:a b"] {
      #expect(try LabelKey(text).description == text)
    }
    for text in ["", "json:", "json", "stem"] {
      #expect(throws: OnePassError.self) { try LabelKey(text) }
    }
  }
}
