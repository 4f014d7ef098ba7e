import Foundation
import TestSupport

/// The built `onepass`.
let onepass = Program.built("onepass")

/// Options of a run of one or two seconds.
let small = ["--model", "resnet8", "--batch-size", "16", "--threads", "1", "--quiet"]

extension Program.Outcome {
  /// Standard error without the notice of few updates, which most runs of these tests make.
  var otherErrors: String {
    errors.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("Note: The run will make only ") }.joined(separator: "\n")
  }

  /// The output as a JSON object.
  var json: [String: Any] { jsonObject(Data(output.utf8)) }
}

func jsonObject(_ data: Data) -> [String: Any] {
  (try? JSONSerialization.jsonObject(with: data) as? [String: Any]) ?? [:]
}

extension [String: Any] {
  /// The number at a path such as `storage.bytes`.
  func number(_ path: String) -> Double? {
    var value: Any? = self
    for key in path.split(separator: ".") { value = (value as? [String: Any])?[String(key)] }
    return (value as? NSNumber)?.doubleValue
  }
}
