import Foundation
import OnePassCore

/// A point of a run's course over its stream, as `curve.csv` tells it.
package struct CurvePoint: Hashable, Sendable {
  package var examplesSeen: Int
  package var examplesTrained: Int
  /// The mean over the incoming examples since the point before, in nats.
  package var loss: Double
  /// The share of those examples that was classified right before training on them; `nil` in records of 0.1.0.
  package var accuracy: Double?
  package var memoryBytes: Int
  package var seconds: Double

  /// Reads a curve by the names of its columns, so that more of them do no harm.
  /// - Throws: `OnePassError` (`badData`) naming the line that cannot be read.
  static func curve(csv text: String, path: String) throws -> [CurvePoint] {
    let lines = text.split(whereSeparator: \.isNewline)
    let names = (lines.first ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let columns = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
    return try lines.dropFirst().enumerated().map { number, line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      func value(_ name: String) -> Double? {
        columns[name].flatMap { fields.indices.contains($0) ? Double(fields[$0]) : nil }
      }
      guard let seen = value("examples_seen"), let trained = value("examples_trained"),
        let loss = value("loss"),
        let bytes = value("memory_bytes"), let seconds = value("seconds"),
        [seen, trained, bytes, seconds].allSatisfy({ $0 >= 0 && $0 < 1e15 }), abs(loss) < 1e9,
        (0...1).contains(value("accuracy") ?? 0)
      else { throw OnePassError(.badData, "\(path) is damaged in line \(number + 2).") }
      return CurvePoint(
        examplesSeen: Int(seen), examplesTrained: Int(trained), loss: loss, accuracy: value("accuracy"),
        memoryBytes: Int(bytes), seconds: seconds)
    }
  }
}
