import OnePassCore
import Testing

@testable import OnePassData

/// A number far from all others is an error of the data, unless there are too many of them: then they are identifiers.
@Suite("Stray labels") struct StrayLabelTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The stray label is that of example 30.
  private static func labels(_ stray: String, classes: Int = 3, from first: Int = 0) -> [String] {
    (0..<60).map { $0 == 30 ? stray : "\(first + $0 % classes)" }
  }

  private func shard(_ labels: [String]) throws -> WebDatasetSource {
    let entries = labels.enumerated().flatMap { id, label in
      [("\(id).jpg", [UInt8(1)]), ("\(id).cls", Array(label.utf8))]
    }
    let source = try WebDatasetSource(folder.write("x.tar", tarBytes(entries)))
    _ = try Survey.of(source)
    return source
  }

  private func list(_ labels: [String]) throws -> ListTable {
    let text = labels.enumerated().map { "\($0).png \($1)\n" }.joined()
    return try ListTable(folder.write("x.txt", Array(text.utf8)))
  }

  @Test(
    "One label far from the others is refused with its example",
    arguments: ["1000", "999999", "4294967296", "99999999999999999", "123456789012345678901"], [0, 1])
  func oneIsRefused(stray: String, first: Int) throws {
    let labels = Self.labels(stray, from: first)
    let words = "label \(stray) is far from the other labels (\(first) to \(first + 2))"
    expectError(.badData, naming: ["x.tar: sample 30", words]) { _ = try shard(labels) }
    expectError(.badData, naming: ["x.txt:31", words]) { _ = try list(labels) }
  }

  @Test(
    "Numbers that are identifiers, or indices of many classes, are not refused",
    arguments: [
      // Two of 60 are no slip; nor is a number that does not follow indices.
      (0..<60).map { $0 % 30 == 7 ? "70007" : "\($0 % 3)" },
      (0..<60).map { $0 == 30 ? "70007" : "\(3 + $0 % 3)" },
      (0..<60).map { "\(9_000 + $0 * $0)" },
    ])
  func identifiers(labels: [String]) throws {
    #expect(try shard(labels).classNames?.count == Set(labels).count)
    #expect(try list(labels).classNames?.count == Set(labels).count)
  }

  @Test("Below 1,000 a number is an index, also if no other label is near it")
  func below1000() throws {
    #expect(try list(Self.labels("999")).classCount == 1_000)
    #expect(try shard(Self.labels("999")).knownClassCount == 1_000)
  }

  @Test("The share of strays is at most one in 1,000")
  func share() throws {
    func labels(_ strays: Int) -> [String] {
      (0..<4_000).map { $0 < strays ? "\(50_000 + $0)" : "\($0 % 5)" }
    }
    expectError(.badData, naming: ["x.txt:1:"]) { _ = try list(labels(4)) }
    #expect(try list(labels(5)).classNames?.count == 10)
    expectError(.badData, naming: ["x.tar: sample 0:"]) { _ = try shard(labels(4)) }
    #expect(try shard(labels(5)).classNames?.count == 10)
  }
}
