import Foundation
import OnePassCore
import OnePassReplay

/// The items of a replay memory at the end of a run, without images.
///
/// ```swift
/// let table = try MemoryTable(of: RunFiles("runs/photos"))
/// print(table.items.count, table.items.map(\.draws).max() ?? 0)
/// ```
public struct MemoryTable {
  /// The items.
  public let items: [MemoryItem]

  /// Creates a table of `items`.
  public init(items: [MemoryItem]) { self.items = items }

  static let fileName = "memory.csv"
  private static let header = "id,label,loss,priority,draws,bytes"
  /// Tables with notes have one more column.
  private static let longHeader = "\(header),\(ItemNote.kind.column)"

  /// Comma-separated values with a header line, in stream order.
  var csv: String {
    let keepsNotes = items.contains { $0.note != nil }
    let header = keepsNotes ? Self.longHeader : Self.header
    return items.sorted { $0.id < $1.id }.reduce(into: header + "\n") { text, item in
      text += "\(item.id),\(item.label),\(item.loss),\(item.priority),\(item.draws),\(item.bytes)"
      text += (keepsNotes ? ",\(item.note.map(ItemNote.kind.text(of:)) ?? "")" : "") + "\n"
    }
  }

  init(csv text: String, path: String) throws {
    let lines = text.split(separator: "\n")
    let keepsNotes = lines.first.map(String.init) == Self.longHeader
    guard keepsNotes || lines.first.map(String.init) == Self.header else {
      throw OnePassError.damagedMemoryTable(path, expectedHeader: Self.header)
    }
    items = try lines.dropFirst().enumerated().map { number, line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      let note = keepsNotes ? fields.last.flatMap(ItemNote.kind.note(fromText:)) : nil
      guard fields.count == (keepsNotes ? 7 : 6), keepsNotes == (note != nil),
        let id = Int(fields[0]), let label = Int(fields[1]),
        let loss = Float(fields[2]),
        let priority = Float(fields[3]), let draws = Int(fields[4]), let bytes = Int(fields[5]),
        (0..<1 << 40).contains(id), label >= 0, loss.isFinite, priority.isFinite, priority >= 0, draws >= 0,
        (0..<1 << 40).contains(bytes)
      else { throw OnePassError.damagedMemoryTable(path, line: number + 2, text: String(line)) }
      return MemoryItem(
        id: id, label: label, loss: loss, priority: priority, draws: draws, bytes: bytes,
        note: note)
    }
  }

  /// Statistics of the table.
  /// - Parameter examplesSeen: The number of examples of the stream.
  public func summary(examplesSeen: Int) -> MemorySummary { MemorySummary(items, examplesSeen: examplesSeen) }

  /// Reads the table of a finished run.
  /// - Throws: `OnePassError`: `io` if the run had no memory, `badData` if the file is damaged.
  public init(of run: RunFiles) throws {
    try self.init(csv: run.text(of: Self.fileName), path: run.path(of: Self.fileName))
  }

  /// Reads the table of a finished run; `nil` if the run had no memory.
  static func ifPresent(in run: RunFiles) throws -> MemoryTable? {
    FileManager.default.fileExists(atPath: run.path(of: fileName)) ? try MemoryTable(of: run) : nil
  }
}
