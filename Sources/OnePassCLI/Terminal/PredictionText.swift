import Foundation
import OnePass
import OnePassCore

/// Predictions in one of the formats of `predict`.
struct PredictionText {
  /// A format of `--format`, or the array of `--json`.
  enum Form: Equatable {
    case format(PredictionFormat)
    case json
  }

  private let form: Form
  private let classNames: [String]?
  private let encoder = JSONEncoder()
  private var isFirst = true

  init(_ form: Form, classNames: [String]?) {
    (self.form, self.classNames) = (form, classNames)
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  }

  /// The text before the first prediction.
  var start: String {
    switch form {
    case .format(.csv):
      CSV.row(["name", "rank", "class", "class_name", "probability", "error"]) + "\n"
    case .json: "["
    case .format: ""
    }
  }

  /// The text after the last prediction.
  var end: String { form == .json ? "\n]\n" : "" }

  /// The text of some outcomes.
  mutating func text(_ outcomes: [PredictionOutcome]) throws -> String {
    let lines: [String]
    switch form {
    case .format(.text): lines = outcomes.compactMap(Self.line)
    case .format(.csv): lines = outcomes.flatMap(rows)
    case .format(.jsonLines):
      lines = try outcomes.map {
        String(decoding: try encoder.encode(Record($0, classNames)), as: UTF8.self)
      }
    case .json: return try elements(outcomes)
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// A line for readers; `nil` for an image that was not predicted.
  private static func line(_ outcome: PredictionOutcome) -> String? {
    guard case .predicted(let prediction) = outcome else { return nil }
    let classes = prediction.classes.map {
      "\(String(escaping: $0.name.utf8)) \(Figures.percent($0.probability))"
    }
    return "\(String(escaping: prediction.image.utf8)): \(classes.joined(separator: ", "))"
  }

  private func rows(_ outcome: PredictionOutcome) -> [String] {
    switch outcome {
    case .failed(let image, let error): [CSV.row([image, "", "", "", "", error.message])]
    case .predicted(let prediction):
      prediction.classes.enumerated().map { index, found in
        CSV.row([
          prediction.image, "\(index + 1)", "\(found.label)", classNames?[found.label] ?? "",
          "\(found.probability)", "",
        ])
      }
    }
  }

  /// The elements of the array, with the line ends before them.
  private mutating func elements(_ outcomes: [PredictionOutcome]) throws -> String {
    guard !outcomes.isEmpty else { return "" }
    let elements = try outcomes.map { outcome in
      let text =
        switch outcome {
        case .predicted(let prediction): try JSON.text([prediction])
        case .failed(let image, let error): try JSON.text([["image": image, "error": error.message]])
        }
      // Without the brackets and line ends of the array of one element.
      return String(text.dropFirst(2).dropLast(2))
    }
    defer { isFirst = false }
    return (isFirst ? "\n" : ",\n") + elements.joined(separator: ",\n")
  }
}

/// A line of JSON Lines.
private struct Record: Encodable {
  struct Entry: Encodable {
    let `class`: Int
    let name: String?
    let probability: Double
  }

  let name: String
  let predictions: [Entry]?
  let error: String?

  init(_ outcome: PredictionOutcome, _ classNames: [String]?) {
    name = outcome.image
    error = outcome.error?.message
    predictions = (try? outcome.prediction)?.classes.map {
      Entry(class: $0.label, name: classNames?[$0.label], probability: $0.probability)
    }
  }
}
