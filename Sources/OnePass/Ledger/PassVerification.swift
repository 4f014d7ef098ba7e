import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// The verification that a run took each example of its stream once, by its ledger.
///
/// ```swift
/// let pass = try PassVerification(of: "runs/photos")
/// print(pass.examples, pass.faults)
/// ```
public struct PassVerification: Codable, Sendable {
  /// An example with the content of an earlier one.
  public struct Duplicate: Codable, Hashable, Sendable {
    /// The position of the example in the stream.
    public let position: Int
    /// The first position with the same content.
    public let original: Int
  }

  /// The number of examples that were taken.
  public var examples: Int
  /// The examples of the source with the content of an earlier one.
  public var duplicates: [Duplicate]
  /// The names of the checkpoints that were verified.
  public var checkpoints: [String]
  /// The number of items in all checkpoints whose images match the ledger.
  public var items: Int
  /// The number of items that were verified by position only, because the memory has their images in another encoding or not
  /// at all.
  public var itemsByPosition: Int
  /// Descriptions of the faults that were found; empty if there are none.
  public var faults: [String]

  /// Verifies the ledger and all checkpoints of a run.
  /// - Parameters:
  ///   - path: The folder of the run, finished or not.
  ///   - memoryDirectory: The current path of the memory directory, if the run has one and it was moved.
  /// - Throws: `OnePassError`: `io` if there is no run or it has no ledger, `badData` if it is damaged, `usage` if another
  ///   process is using it.
  public init(of path: String, memoryDirectory: String? = nil) throws {
    let run = try StoredRun(path, memoryDirectory: memoryDirectory)
    guard let last = run.points.last, let mark = last.ledger else {
      throw OnePassError.noLedger(in: path, isMultiEpoch: run.configuration.method == .multiEpoch)
    }
    let file = "\(run.logFolder)/\(Ledger.fileName)"
    let ledger = try LedgerFile(path: file, mark: mark)
    examples = ledger.count
    duplicates = ledger.duplicates.map { Duplicate(position: $0.position, original: $0.original) }
    checkpoints = run.points.map(\.name)
    (items, itemsByPosition, faults) = (0, 0, [])
    if let fault = ledger.firstFault { faults.append("The ledger is inconsistent: \(fault).") }
    for point in run.points {
      guard point.examples <= ledger.count else {
        faults.append("\(point.name) has \(point.examples) examples, but the ledger has \(ledger.count).")
        continue
      }
      try check(point, in: run, ledger)
      if let mark = point.ledger, mark.examples != point.examples {
        faults.append("\(point.name) has \(point.examples) examples, but its ledger has \(mark.examples).")
      }
      if let mark = point.ledger, mark != last.ledger { _ = try LedgerFile(path: file, mark: mark) }
    }
  }

  private mutating func check(_ point: StoredRun.Point, in run: StoredRun, _ ledger: LedgerFile) throws {
    let comparesBytes = run.configuration.memory.encoding == .original
    for item in point.memory?.items ?? [] {
      guard item.id < point.examples else {
        faults.append("\(point.name) contains example \(item.id), but only \(point.examples) had been taken.")
        continue
      }
      do {
        // Always read, because the archive then verifies its checksum.
        guard let image = try run.image(id: item.id), comparesBytes else {
          itemsByPosition += 1
          continue
        }
        if LedgerEntry.Hash(of: image) == ledger[item.id].hash {
          items += 1
        } else {
          faults.append("\(point.name) contains an image of example \(item.id) that differs from the ledger.")
        }
      } catch let error as OnePassError where error.code == .badData {
        faults.append("\(point.name): \(error.message)")
      }
    }
  }
}
