import Foundation
import OnePassCore
import OnePassReplay

/// What a replay memory held at the end of a run, without the images.
public struct MemoryTable {
  public let items: [MemoryItem]

  public init(items: [MemoryItem]) { self.items = items }

  private static let header = "id,label,loss,priority,draws,bytes"

  /// Comma-separated values with a header line, in stream order.
  var csv: String {
    items.sorted { $0.id < $1.id }.reduce(into: Self.header + "\n") { text, item in
      text += "\(item.id),\(item.label),\(item.loss),\(item.priority),\(item.draws),\(item.bytes)\n"
    }
  }

  init(csv text: String, path: String) throws {
    let lines = text.split(separator: "\n")
    guard lines.first.map(String.init) == Self.header else {
      throw OnePassError(.badData, "\(path) is damaged: its first line is not \(Self.header).")
    }
    items = try lines.dropFirst().enumerated().map { number, line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == 6, let id = Int(fields[0]), let label = Int(fields[1]),
        let loss = Float(fields[2]),
        let priority = Float(fields[3]), let draws = Int(fields[4]), let bytes = Int(fields[5]),
        (0..<1 << 40).contains(id), label >= 0, loss.isFinite, priority.isFinite, priority >= 0, draws >= 0,
        (0..<1 << 40).contains(bytes)
      else { throw OnePassError(.badData, "\(path) is damaged in line \(number + 2): \(line)") }
      return MemoryItem(id: id, label: label, loss: loss, priority: priority, draws: draws, bytes: bytes)
    }
  }

  /// The table in figures.
  public func summary(examplesSeen: Int) -> MemorySummary { MemorySummary(items, examplesSeen: examplesSeen) }

  /// What the memory of a finished run held.
  /// - Throws: `OnePassError`: `io` if the run has no memory, `badData` if the file is damaged.
  public init(of run: RunFiles) throws {
    try self.init(csv: run.text(of: "memory.csv"), path: run.path(of: "memory.csv"))
  }
}
