import Foundation
import OnePassCore
import OnePassData

/// An incoming example without its image, as every rank receives it.
struct Arrival {
  /// Its position in the stream.
  let id: Int
  private(set) var label: Int
  /// The name of its class, if the stream does not number its classes.
  let className: String?
  /// The size of its image on arrival, in bytes.
  let bytes: Int
  /// Its entry in the ledger.
  let entry: LedgerEntry
  let subject: String?
  /// The reason why its image cannot be decoded; `nil` if it can.
  let problem: String?
  /// Whether it is stored rotated or mirrored, by its metadata.
  let isRotated: Bool

  init(_ example: Example, problem: String?, isRotated: Bool = false) {
    id = example.id
    (label, className) = (example.label, example.className)
    bytes = example.image.byteCount
    entry = LedgerEntry(of: example)
    subject = example.subject
    self.problem = problem
    self.isRotated = isRotated
  }

  /// Returns the arrivals of `examples`. Those that `batch` skipped have a problem.
  static func list(_ examples: [Example], decoded batch: ImageBatch) -> [Arrival] {
    let problems = Dictionary(batch.skipped.map { ($0.id, $0.reason) }) { first, _ in first }
    let rotated = Set(batch.rotated)
    return examples.map {
      Arrival($0, problem: problems[$0.id], isRotated: rotated.contains($0.id))
    }
  }
}

extension Arrival {
  /// The name of its class, which is its number if the stream has no names.
  func classNamed(in names: [String]?) -> String {
    className ?? (names.flatMap { $0.indices.contains(label) ? $0[label] : nil } ?? "\(label)")
  }

  /// The same arrival with the label that its class has in the run.
  func with(label: Int) -> Arrival {
    var arrival = self
    arrival.label = label
    return arrival
  }
}

extension Arrival: RankRecord {
  static let leastBytes = 8 + 4 + 8 + LedgerEntry.bytes + 1

  func write(to data: inout Data) {
    data.append(integer: Int64(id))
    data.append(integer: Int32(label))
    data.append(integer: UInt64(bytes))
    var entry: [UInt8] = []
    self.entry.write(to: &entry)
    data += entry
    data.append(
      integer: UInt8(
        (subject == nil ? 0 : 1) + (problem == nil ? 0 : 2) + (isRotated ? 4 : 0)
          + (className == nil ? 0 : 8)))
    if let subject { data.append(text: subject) }
    if let problem { data.append(text: problem) }
    if let className { data.append(text: className) }
  }

  init(from reader: inout ByteReader) throws {
    id = Int(try reader.integer() as Int64)
    label = Int(try reader.integer() as Int32)
    bytes = Int(clamping: try reader.integer() as UInt64)
    entry = try reader.bytes(LedgerEntry.bytes).withUnsafeBytes { LedgerEntry($0, at: 0) }
    let members: UInt8 = try reader.integer()
    subject = members & 1 == 0 ? nil : try reader.text()
    problem = members & 2 == 0 ? nil : try reader.text()
    isRotated = members & 4 != 0
    className = members & 8 == 0 ? nil : try reader.text()
  }
}

extension Ranks {
  /// Compares an example that this rank read, although it belongs to another one, with what that rank read.
  /// - Parameters:
  ///   - witness: The example; `nil` with one rank, and at the end of the stream.
  ///   - arrivals: The arrivals of all ranks.
  /// - Throws: `OnePassError` (`badData`) if the ranks have different data.
  func compare(_ witness: Example?, with arrivals: [Arrival]) throws {
    guard let witness, let arrival = arrivals.first(where: { $0.id == witness.id }) else { return }
    guard arrival.entry == LedgerEntry(of: witness), arrival.className == witness.className,
      arrival.label == witness.label || arrival.className != nil
    else {
      throw OnePassError.ranksReadOtherData(rank, example: witness.id)
    }
  }
}
