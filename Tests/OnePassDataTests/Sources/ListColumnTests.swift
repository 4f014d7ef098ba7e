import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Columns and labels of lists") struct ListColumnTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func table(_ text: String, classNames: [String]? = nil, classCount: Int? = nil) throws -> ListTable
  {
    try ListTable(
      folder.write("l.txt", Array(text.utf8)), classNames: classNames, classCount: classCount)
  }

  private func rows(_ table: ListTable) -> [String] {
    (0..<table.count).map {
      "\(table.path(at: $0)!.dropFirst(folder.path.count + 1)) \(table.classNames?[table.label(at: $0)] ?? "-")"
    }
  }

  @Test(
    "A line with more columns is refused",
    arguments: [
      ("a.jpg\tcat\t0.5\n", "1: 3 columns"), ("a.jpg cat\nb.jpg dog 7\n", "2: 3 columns"),
      ("my dir/a.jpg 3 0 12\n", "1: 4 columns"), ("a.jpg,cat\n", "1: columns separated by commas"),
      ("a.jpg, cat\n", "1: columns separated by commas"),
      ("12,a.jpg,cat\n", "1: columns separated by commas"),
    ])
  func moreColumnsAreRefused(text: String, words: String) throws {
    expectError(.badData, naming: ["l.txt:\(words)", "first line with"]) { _ = try table(text) }
  }

  @Test(
    "A header selects the columns",
    arguments: [
      "id\tlabel\tfile\n1\tred fox\tmy a.jpg\n2\tcat\tb.jpg\n",
      "path,label\nmy a.jpg,red fox\nb.jpg,cat\n",
      "Class,x,Image\r\n\"red fox\",\"1,5\",my a.jpg\r\ncat,,b.jpg\r\n",
    ])
  func headersSelectColumns(text: String) throws {
    let list = try table(text)
    #expect(rows(list) == ["my a.jpg red fox", "b.jpg cat"])
    #expect(list.report.choices.count == (text.hasPrefix("path") ? 0 : 1))
  }

  @Test("A header of two columns is not an example")
  func plainHeadersAreNotExamples() throws {
    #expect(rows(try table("path label\nmy a.jpg cat\nb.jpg dog\n")) == ["my a.jpg cat", "b.jpg dog"])
    expectError(.badData, naming: ["path and image"]) { _ = try table("path\timage\tlabel\na\tb\tc\n") }
    expectError(.badData, naming: ["l.txt:3: 2 columns, but the header has 3"]) {
      _ = try table("id\tpath\tlabel\n1\ta.jpg\tcat\n2\tb.jpg\n")
    }
  }

  /// Identifiers of taxa or products: 12 images of two classes need two outputs, not two billion.
  @Test("Sparse numbers are names of classes")
  func sparseNumbersAreNames() throws {
    let list = try table("a.jpg 2000001234\nb.jpg 12050\nc.jpg 2000001234\n")
    #expect(list.classNames == ["12050", "2000001234"] && list.classCount == 2)
    #expect((0..<3).map(list.label) == [1, 0, 1])
    #expect(list.report.choices.map(\.what) == ["the meaning of the numeric labels"])
    // More digits than an integer has.
    #expect(try table("a.jpg 99999999999999999999\nb.jpg 12050\n").classCount == 2)
  }

  /// The rule: below 1,000, below twice the number of different labels, or below the given number of classes.
  @Test("Dense numbers are class indices")
  func denseNumbersAreIndices() throws {
    #expect(try table("a.jpg 999\nb.jpg 3\n").classCount == 1_000)
    #expect(try table("a.jpg 1000\nb.jpg 3\n").classCount == 2)
    let even = (0..<800).map { "a.jpg \(2 * $0)\n" }.joined()
    #expect(try table(even).classCount == 1_599 && table(even).classNames == nil)
    #expect(try table(even + "b.jpg 1700\n").classCount == 801)
    #expect(try table("a.jpg 20000\nb.jpg 3\n", classCount: 21_841).classNames == nil)
    #expect(try table("a.jpg 20000\nb.jpg 3\n", classCount: 2).classNames == ["3", "20000"])
    expectError(.badData, naming: ["label 20000 is out of range (0 to 9)"]) {
      _ = try table("a.jpg 20000\nb.jpg 3\n", classCount: 10)
    }
    #expect(try table("a.jpg 2\nb.jpg 0\n", classCount: 10).classCount == 10)
  }
}
