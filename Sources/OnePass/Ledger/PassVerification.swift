import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// What the ledger of a run proves of its pass over the stream.
public struct PassVerification: Codable, Sendable {
  /// An example whose content had come before.
  public struct Duplicate: Codable, Hashable, Sendable {
    public let position: Int
    /// The first position with the same content.
    public let original: Int
  }

  /// Examples that were taken, each once.
  public var examples: Int
  /// Examples of the source that have the content of an earlier one.
  public var duplicates: [Duplicate]
  /// Saved states that were looked at.
  public var checkpoints: [String]
  /// Items of the memory, in all saved states, whose images are those that passed.
  public var items: Int
  /// Items of which only the position could be compared, because their images are kept in another form or not at all.
  public var itemsByPosition: Int
  /// What is wrong, in sentences; empty if nothing is.
  public var faults: [String]

  /// Looks at everything that is on disk of a run.
  /// - Parameters:
  ///   - path: The folder of the run, finished or not.
  ///   - memoryDirectory: Where its memory is by now, if it has one on disk and that was moved.
  /// - Throws: `OnePassError`: `io` if there is no run or it has no ledger, `badData` if it is damaged, `usage` if another
  ///   process has it.
  public init(of path: String, memoryDirectory: String? = nil) throws {
    let run = try StoredRun(path, memoryDirectory: memoryDirectory)
    guard let last = run.points.last, let mark = last.ledger else {
      let reason =
        run.configuration.method == .multiEpoch
        ? "multi-epoch training keeps all data" : "an earlier onepass made it"
      throw OnePassError(.io, "The run in \(path) has no ledger: \(reason).")
    }
    let file = "\(run.logFolder)/\(Ledger.fileName)"
    let ledger = try LedgerFile(path: file, mark: mark)
    examples = ledger.count
    duplicates = ledger.duplicates.map { Duplicate(position: $0.position, original: $0.original) }
    checkpoints = run.points.map(\.name)
    (items, itemsByPosition, faults) = (0, 0, [])
    if let fault = ledger.firstFault { faults.append("In the ledger, \(fault).") }
    for point in run.points {
      guard point.examples <= ledger.count else {
        faults.append("\(point.name) has \(point.examples) examples, and the ledger \(ledger.count).")
        continue
      }
      try check(point, in: run, ledger)
      if let mark = point.ledger, mark.examples != point.examples {
        faults.append("\(point.name) has \(point.examples) examples, and its ledger \(mark.examples).")
      }
      if let mark = point.ledger, mark != last.ledger { _ = try LedgerFile(path: file, mark: mark) }
    }
  }

  private mutating func check(_ point: StoredRun.Point, in run: StoredRun, _ ledger: LedgerFile) throws {
    let comparesBytes = run.configuration.memory.encoding == .original
    for item in point.memory?.items ?? [] {
      guard item.id < point.examples else {
        faults.append("\(point.name) holds example \(item.id), of which only \(point.examples) had passed.")
        continue
      }
      do {
        // Read in any case: the archive holds it against its checksum.
        guard let image = try run.image(id: item.id), comparesBytes else {
          itemsByPosition += 1
          continue
        }
        if LedgerEntry.Hash(of: image) == ledger[item.id].hash {
          items += 1
        } else {
          faults.append("\(point.name) holds as example \(item.id) an image that did not pass there.")
        }
      } catch let error as OnePassError where error.code == .badData {
        faults.append("\(point.name): \(error.message)")
      }
    }
  }
}
