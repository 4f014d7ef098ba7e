import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// The verification that a run took each example of its stream once, by its ledger.
///
/// The ledger has the position and a hash of each example. Without the data, it proves that no position was taken twice or
/// skipped, and which contents repeat. With the data, it also proves that these are the contents of the data.
///
/// ```swift
/// var pass = try PassVerification(of: "runs/photos")
/// try pass.compare(withData: "folder:photos", of: "runs/photos")
/// print(pass.examples, pass.repeated, pass.faults)
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
  /// The number of examples with the content of an earlier one. Either the data has them, or contents were taken again.
  public var repeated: Int
  /// The first 1,000 of these examples.
  public var duplicates: [Duplicate]
  /// The names of the checkpoints that were verified.
  public var checkpoints: [String]
  /// The number of items in all checkpoints whose images match the ledger.
  public var items: Int
  /// The number of items that were verified by position only, because the memory has their images in another encoding or not
  /// at all.
  public var itemsByPosition: Int
  /// The number of examples of the data that match the ledger; `nil` if the data was not read.
  public var compared: Int?
  /// The places where the stream continued with another source; `nil` if it has one source.
  public var gaps: [StreamGap]?
  /// Descriptions of the faults that were found; empty if there are none.
  public var faults: [String]

  /// Verifies the ledger and all checkpoints of a run.
  /// - Parameters:
  ///   - path: The folder of the run, finished or not.
  ///   - location: Where the memory on disk and the key file are, if they were moved.
  /// - Throws: `OnePassError`: `io` if there is no run or it has no ledger, `badData` if it is damaged.
  /// - Complexity: O(N log N) in the number of examples, with at most 64 MiB of their entries in memory.
  public init(of path: String, at location: MemoryLocation = .init()) throws {
    let run = try StoredRun(path, at: location, reading: true)
    let ledger = try run.openLedger()
    examples = ledger.count
    let contents = try RepeatedContents(in: ledger)
    repeated = contents.count
    duplicates = contents.first.map { Duplicate(position: $0.position, original: $0.original) }
    checkpoints = run.points.map(\.name)
    (items, itemsByPosition, faults) = (0, 0, [])
    gaps = run.points.last?.gaps
    if let fault = try ledger.firstFault { faults.append("The ledger is inconsistent: \(fault).") }
    for point in run.points {
      guard point.examples <= ledger.count else {
        faults.append("\(point.name) has \(point.examples) examples, but the ledger has \(ledger.count).")
        continue
      }
      try check(point, in: run, ledger)
      if let mark = point.ledger, mark.examples != point.examples {
        faults.append("\(point.name) has \(point.examples) examples, but its ledger has \(mark.examples).")
      }
      if let mark = point.ledger, mark != run.points.last?.ledger {
        _ = try LedgerFile(path: ledger.path, mark: mark)
      }
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
        if LedgerEntry.Hash(of: image) == (try ledger.entry(at: item.id).hash) {
          items += 1
        } else {
          faults.append("\(point.name) contains an image of example \(item.id) that differs from the ledger.")
        }
      } catch let error as OnePassError where error.code == .badData {
        // A process that trains may be changing the image.
        if run.isTraining { itemsByPosition += 1 } else { faults.append("\(point.name): \(error.message)") }
      }
    }
  }

  /// Reads the data of a run again, in the order of the run, and compares each example with the ledger.
  ///
  /// The first example that differs is a fault, and so is data that ends early.
  /// - Parameters:
  ///   - specification: The data, which may have been moved.
  ///   - path: The folder of the run.
  ///   - location: Where the memory on disk and the key file are, if they were moved.
  /// - Throws: `OnePassError`: `usage`, `io`, `badData` if the data or the run cannot be read.
  public mutating func compare(
    withData specification: String, of path: String, at location: MemoryLocation = .init()
  ) throws {
    let run = try StoredRun(path, at: location, reading: true)
    guard gaps == nil else { throw OnePassError.dataOfSeveralSources(path) }
    var configuration = run.configuration
    configuration.data.source = try SourceRegistry.reading(of: specification).specification
    let stream = try RunStream(configuration.openData(), configuration)
    let ledger = try run.openLedger()
    compared = 0
    for position in 0..<ledger.count {
      guard let example = try stream.source.next() else {
        faults.append("The data has \(position) examples, but \(ledger.count) were taken.")
        return
      }
      stream.buffer?.settle(upTo: position + 1)
      guard try LedgerEntry(of: example) == ledger.entry(at: position) else {
        let place = stream.source.location(of: position).map { " (\($0))" } ?? ""
        faults.append("Example \(position) of the data\(place) is not the image that was taken there.")
        return
      }
      compared = position + 1
    }
  }
}

extension StoredRun {
  /// The ledger up to the last checkpoint.
  /// - Throws: `OnePassError`: `io` if the run has none, `badData` if it is damaged.
  func openLedger() throws -> LedgerFile {
    guard let mark = points.last?.ledger else {
      throw OnePassError.noLedger(in: path, isMultiEpoch: configuration.method == .multiEpoch)
    }
    return try LedgerFile(path: "\(logFolder)/\(Ledger.fileName)", mark: mark)
  }
}
