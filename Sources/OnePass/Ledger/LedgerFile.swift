import Foundation
import OnePassCore
import OnePassReplay

/// A ledger that was read from disk.
struct LedgerFile {
  let path: String
  let count: Int
  private let data: Data

  /// Reads the valid part of a ledger.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it does not match the mark.
  init(path: String, mark: LedgerMark) throws {
    do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
    self.path = path
    count = mark.examples
    let isWhole =
      mark.examples <= data.count / LedgerEntry.bytes
      && withBytes { "\(ContentHash(of: $0))" == mark.hash }
    guard isWhole else { throw OnePassError.damagedFile(path) }
  }

  /// The bytes of the valid entries.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try data.withUnsafeBytes {
      try body(UnsafeRawBufferPointer(rebasing: $0[..<(count * LedgerEntry.bytes)]))
    }
  }

  subscript(index: Int) -> LedgerEntry {
    data.withUnsafeBytes { LedgerEntry($0, at: index * LedgerEntry.bytes) }
  }

  /// A description of the first entry whose position is not the next of 0, 1, 2, …; `nil` if all are.
  var firstFault: String? {
    for index in 0..<count where self[index].position != index {
      let position = self[index].position
      return position < index
        ? "example \(position) was taken twice"
        : "example \(index) was skipped (followed by \(position))"
    }
    return nil
  }

  /// The examples with the content of an earlier one, each with the first position of that content.
  var duplicates: [(position: Int, original: Int)] {
    var order = (0..<count).map { (hash: self[$0].hash, position: self[$0].position) }
    order.sort { ($0.hash, $0.position) < ($1.hash, $1.position) }
    var found: [(position: Int, original: Int)] = []
    var original = 0
    for index in order.indices.dropFirst() {
      if order[index].hash != order[original].hash {
        original = index
      } else {
        found.append((order[index].position, order[original].position))
      }
    }
    return found.sorted { $0.position < $1.position }
  }
}
