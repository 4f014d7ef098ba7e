import Foundation
import OnePassCore

/// A row of `curve.csv`: the progress of a run over its stream.
package struct CurvePoint: Hashable, Sendable {
  /// Incoming examples so far.
  package var examplesSeen: Int
  /// Back-propagated examples so far, replays included.
  package var examplesTrained: Int
  /// The mean loss in nats over the incoming examples since the previous point.
  package var loss: Double
  /// The top-1 accuracy on these examples before training on them, 0 … 1; `nil` in records of 0.1.0.
  package var accuracy: Double?
  /// The top-1 accuracy on the evaluation data after this point, 0 … 1; `nil` if it was not measured there.
  package var evaluated: Double?
  /// The bytes of the memory, index included.
  package var memoryBytes: Int
  /// Seconds since the run started.
  package var seconds: Double

  /// Parses a curve by the names of its columns; unknown columns are ignored.
  /// - Throws: `OnePassError` (`badData`) with the number of the first invalid line.
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
        (0...1).contains(value("accuracy") ?? 0), (0...1).contains(value("evaluation_top1") ?? 0)
      else { throw OnePassError.damagedCurve(path, line: number + 2) }
      return CurvePoint(
        examplesSeen: Int(seen), examplesTrained: Int(trained), loss: loss, accuracy: value("accuracy"),
        evaluated: value("evaluation_top1"), memoryBytes: Int(bytes), seconds: seconds)
    }
  }
}
