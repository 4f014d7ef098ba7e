import Foundation
import OnePassCore

/// Writes the scalars of each point as a line of JSON to `metrics.jsonl`.
///
/// ```
/// {"accuracy/incoming":0.34,"loss/incoming":1.81,…,"step":12,"time":1764082000.25}
/// ```
final class JSONLinesLogger: RunLogger {
  static let fileName = "metrics.jsonl"

  let name = fileName
  private let path: String
  private var file: AppendedFile?
  private let encoder = JSONEncoder()

  init(path: String) {
    self.path = path
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
  }

  func begin(_ run: LoggedRun) throws {
    guard run.stepsDone > 0, FileManager.default.fileExists(atPath: path) else {
      file = AppendedFile(path: path)
      return
    }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
    file = try AppendedFile(
      path: path, resumingAfter: Self.end(of: run.stepsDone, in: data, beforeEvaluation: run.isTrained))
  }

  /// The offset after the last intact line of a step up to `step`.
  /// - Parameter beforeEvaluation: Whether an evaluation after this step does not count.
  private static func end(of step: Int, in data: Data, beforeEvaluation: Bool) -> Int {
    struct Line: Decodable {
      let step: Int
      let evaluation: Double?
      enum CodingKeys: String, CodingKey {
        case step
        case evaluation = "evaluation/top1"
      }
    }
    var end = 0
    for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let next = end + line.count + 1
      guard next <= data.count, let point = try? JSONDecoder().decode(Line.self, from: line),
        point.step <= step,
        !(beforeEvaluation && point.step == step && point.evaluation != nil)
      else { break }
      end = next
    }
    return end
  }

  func log(_ point: LogPoint) throws {
    guard !point.scalars.isEmpty else { return }
    var values = Dictionary(uniqueKeysWithValues: point.scalars.map { ($0.name, $0.value) })
    values["step"] = Double(point.step)
    values["time"] = point.time.timeIntervalSince1970
    try file?.append(Array(encoder.encode(values)) + [UInt8(ascii: "\n")])
    try file?.writeOut()
  }

  func makeDurable() throws { try file?.makeDurable() }
}
