import Foundation
import OnePassCore
import OnePassData

/// What every rank knows of an incoming example, whoever has its image.
struct Arrival {
  /// Its position in the stream.
  let id: Int
  let label: Int
  /// Of its image, as it arrived.
  let bytes: Int
  /// What the ledger says of it.
  let entry: LedgerEntry
  let subject: String?
  /// Why its image cannot be decoded; `nil` where it can.
  let problem: String?

  init(_ example: Example, problem: String?) {
    id = example.id
    label = example.label
    bytes = example.image.byteCount
    entry = LedgerEntry(of: example)
    subject = example.subject
    self.problem = problem
  }

  /// Examples of which the batch has those whose images could be decoded.
  static func list(_ examples: [Example], decoded batch: ImageBatch) -> [Arrival] {
    let problems = Dictionary(batch.skipped.map { ($0.id, $0.reason) }) { first, _ in first }
    return examples.map { Arrival($0, problem: problems[$0.id]) }
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
    data.append(integer: UInt8((subject == nil ? 0 : 1) + (problem == nil ? 0 : 2)))
    if let subject { data.append(text: subject) }
    if let problem { data.append(text: problem) }
  }

  init(from reader: inout ByteReader) throws {
    id = Int(try reader.integer() as Int64)
    label = Int(try reader.integer() as Int32)
    bytes = Int(clamping: try reader.integer() as UInt64)
    entry = try reader.bytes(LedgerEntry.bytes).withUnsafeBytes { LedgerEntry($0, at: 0) }
    let members: UInt8 = try reader.integer()
    subject = members & 1 == 0 ? nil : try reader.text()
    problem = members & 2 == 0 ? nil : try reader.text()
  }
}
