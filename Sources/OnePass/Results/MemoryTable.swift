import Foundation
import OnePassCore
import OnePassReplay

/// What a replay memory held at the end of a run, without the images.
public struct MemoryTable {
  public let items: [MemoryItem]

  public init(items: [MemoryItem]) { self.items = items }

  private static let header = "id,label,loss,priority,draws,bytes"
  /// Where predictions are kept, they have a column more.
  private static let longHeader = "\(header),prediction"

  /// Comma-separated values with a header line, in stream order.
  var csv: String {
    let keepsPredictions = items.contains { $0.prediction != nil }
    let header = keepsPredictions ? Self.longHeader : Self.header
    return items.sorted { $0.id < $1.id }.reduce(into: header + "\n") { text, item in
      text += "\(item.id),\(item.label),\(item.loss),\(item.priority),\(item.draws),\(item.bytes)"
      text += (keepsPredictions ? ",\(item.prediction?.text ?? "")" : "") + "\n"
    }
  }

  init(csv text: String, path: String) throws {
    let lines = text.split(separator: "\n")
    let keepsPredictions = lines.first.map(String.init) == Self.longHeader
    guard keepsPredictions || lines.first.map(String.init) == Self.header else {
      throw OnePassError(.badData, "\(path) is damaged: its first line is not \(Self.header).")
    }
    items = try lines.dropFirst().enumerated().map { number, line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      let prediction = keepsPredictions ? fields.last.flatMap { StoredPrediction(text: $0) } : nil
      guard fields.count == (keepsPredictions ? 7 : 6), keepsPredictions == (prediction != nil),
        let id = Int(fields[0]), let label = Int(fields[1]),
        let loss = Float(fields[2]),
        let priority = Float(fields[3]), let draws = Int(fields[4]), let bytes = Int(fields[5]),
        (0..<1 << 40).contains(id), label >= 0, loss.isFinite, priority.isFinite, priority >= 0, draws >= 0,
        (0..<1 << 40).contains(bytes)
      else { throw OnePassError(.badData, "\(path) is damaged in line \(number + 2): \(line)") }
      return MemoryItem(
        id: id, label: label, loss: loss, priority: priority, draws: draws, bytes: bytes,
        prediction: prediction)
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

extension StoredPrediction {
  /// Its classes with their probabilities in 255ths, the likeliest first: `7:204 2:51`.
  fileprivate var text: String {
    zip(classes, probabilities).map { "\($0):\(Int(($1 * 255).rounded()))" }.joined(separator: " ")
  }

  fileprivate init?(text: Substring) {
    let pairs = text.split(separator: " ").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    let (classes, levels) = (pairs.compactMap { Int($0[0]) }, pairs.compactMap { Int($0.last ?? "") })
    guard pairs.allSatisfy({ $0.count == 2 }), (1...Self.mostClasses).contains(pairs.count),
      classes.count == pairs.count, Set(classes).count == pairs.count,
      classes.allSatisfy({ (0..<Self.classLimit).contains($0) }), levels.count == pairs.count,
      levels.allSatisfy({ (0...255).contains($0) }), levels.reduce(0, +) <= 255
    else { return nil }
    self.init(classes: classes, probabilities: levels.map { Float($0) / 255 })
  }
}
