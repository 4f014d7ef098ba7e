import Foundation
import OnePassCore
import OnePassReplay

/// The ledger of a pass as it was written.
struct LedgerFile {
  let path: String
  let count: Int
  private let data: Data

  /// Reads the part of a ledger that counts.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is not what the mark says.
  init(path: String, mark: LedgerMark) throws {
    do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
      throw OnePassError(
        .io, "The ledger \(path) cannot be read: bring it back, or begin the run anew.", cause: error)
    }
    self.path = path
    count = mark.examples
    let isWhole =
      mark.examples <= data.count / LedgerEntry.bytes
      && withBytes { "\(ContentHash(of: $0))" == mark.hash }
    guard isWhole else {
      throw OnePassError(.badData, "The ledger \(path) is damaged: it is not what was written.")
    }
  }

  /// The bytes of the entries that count.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try data.withUnsafeBytes {
      try body(UnsafeRawBufferPointer(rebasing: $0[..<(count * LedgerEntry.bytes)]))
    }
  }

  subscript(index: Int) -> LedgerEntry {
    data.withUnsafeBytes { LedgerEntry($0, at: index * LedgerEntry.bytes) }
  }

  /// The first place at which the positions are not 0, 1, 2, …, in words; `nil` if each stands there once.
  var firstFault: String? {
    for index in 0..<count where self[index].position != index {
      let position = self[index].position
      return position < index
        ? "example \(position) was taken twice"
        : "example \(index) was skipped (\(position) came in its place)"
    }
    return nil
  }

  /// Examples whose content had come before, each with the first position that has the same.
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
