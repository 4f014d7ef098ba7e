import OnePassCore

/// The classes that the labels of Parquet files stand for.
///
/// A number of a file with noted class names stands for its name. Files with the same names in another order are read by
/// name. Text stands for a name, and in files without names for a class of those that occur. Numbers and Boolean
/// values stand for positions otherwise.
final class ParquetLabels {
  /// The names of the classes in label order; `nil` if there are none, or a survey has not found them yet.
  private(set) var names: [String]?
  /// The number of classes, if it is known.
  private(set) var count: Int?
  private var byName: [String: Int] = [:]
  /// How a number refers to the names.
  private var numbers = ClassOrder.NumberReading.position
  /// Whether the names are those of a survey, in their sorted order.
  private(set) var areSorted = false
  private let readings: [Reading]
  private let fileNames: [String]

  /// What the values of a file's label column are.
  private enum Reading {
    /// Positions among the class names of the file; these are the labels.
    case noted([Int])
    case number, boolean, text
  }

  /// - Parameters:
  ///   - requested: The class names in label order to which all labels must refer.
  ///   - parts: The files.
  ///   - report: Notes what is chosen.
  /// - Throws: `OnePassError` (`badData`) if a file notes a class that is not among the others.
  init(_ requested: [String]?, _ parts: [ParquetPart], _ report: inout SourceReport) throws {
    let first = parts.first { $0.columns.classNames != nil }
    let known = requested ?? first?.columns.classNames
    let places = Self.places(of: known ?? [])
    var readings: [Reading] = []
    for part in parts {
      switch part.columns.label.content {
      case .boolean: readings.append(.boolean)
      case .text: readings.append(.text)
      default:
        guard let own = part.columns.classNames, let known else {
          if requested == nil, let first {
            report.choose(
              "the classes of files without class names", taken: "those of \(first.name)", others: [])
          }
          readings.append(.number)
          continue
        }
        if own != known {
          let order = requested == nil ? first?.name ?? "" : "the expected classes"
          report.choose(
            "the numbers of the classes", taken: "by name, in the order of \(order)",
            others: ["the order of \(part.name)"])
        }
        readings.append(
          .noted(
            try own.map { name in
              guard let label = places[name] else {
                throw OnePassError.unknownNotedClass(
                  name, in: part.name, known: known, of: requested == nil ? first?.name : nil)
              }
              return label
            }))
      }
    }
    (self.readings, fileNames) = (readings, parts.map(\.name))
    let areBoolean = readings.allSatisfy { if case .boolean = $0 { true } else { false } }
    adopt(known ?? (areBoolean && !readings.isEmpty ? ["false", "true"] : nil))
    if let known, readings.contains(where: { if case .boolean = $0 { true } else { false } }),
      place(of: false) == nil || place(of: true) == nil, known.count >= 2
    {
      report.choose(
        "the classes of Boolean labels", taken: "\(known[0]) for false, \(known[1]) for true", others: [])
    }
  }

  private func adopt(_ names: [String]?) {
    self.names = names
    byName = Self.places(of: names ?? [])
    numbers = names.map(ClassOrder.reading) ?? .position
    count = names?.count ?? count
  }

  private static func places(of names: [String]) -> [String: Int] {
    Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  private func place(of value: Bool) -> Int? {
    byName["\(value)"] ?? byName[value ? "True" : "False"]
  }

  // MARK: Surveys

  /// Whether the label columns must be read to know the classes that text stands for.
  var needNames: Bool {
    names == nil && readings.contains { if case .text = $0 { true } else { false } }
  }

  /// Notes a label in a survey.
  func note(_ value: ParquetColumn.Value, ofFile file: Int, in found: ShardLabels) {
    switch value {
    case .integer(let number):
      if case .boolean = readings[file] {
        _ = found.label(of: Array("\(number != 0)".utf8)) { fileNames[file] }
      } else {
        found.note(number) { fileNames[file] }
      }
    case .bytes(let text):
      // Missing text is an error where the row is read.
      if !ShardLabels.trimmed(text).isEmpty { _ = found.label(of: text) { fileNames[file] } }
    case .missing: break
    }
  }

  /// Uses the labels that a survey has found.
  /// - Parameter classCount: The number of classes, if it is stated.
  /// - Throws: `OnePassError` (`badData`) if one label is far from all others.
  func adopt(_ found: ShardLabels, classCount: Int?, _ report: inout SourceReport) throws {
    guard names == nil else { return }
    let classes = ShardLabels(names: nil)
    let (number, areSparse) = try classes.adopt(found, classCount: classCount)
    if areSparse { report.chooseNamesForNumbers() }
    adopt(classes.names)
    if classes.names != nil { (numbers, areSorted) = (.name, true) }
    count = number
  }

  // MARK: Labels of rows

  /// The label that a value stands for.
  /// - Parameters:
  ///   - file: The index of the file.
  ///   - row: The name of the row in messages.
  /// - Throws: `OnePassError` (`badData`) if it is not one of the classes.
  func label(
    of value: ParquetColumn.Value, ofFile file: Int, at row: @autoclosure () -> String
  ) throws -> Int {
    switch (value, readings[file]) {
    case (.integer(let number), .noted(let labels)):
      guard labels.indices.contains(number) else {
        throw OnePassError.labelInRowIsOutOfRange(number, at: row(), classCount: labels.count)
      }
      return labels[number]
    case (.integer(let number), .boolean):
      return place(of: number != 0) ?? number
    case (.integer(let number), _):
      guard let names else { return number }
      if numbers != .name, names.indices.contains(number) { return number }
      if let label = byName["\(number)"] { return label }
      throw OnePassError.labelInRowIsOutOfRange(number, at: row(), classCount: names.count)
    case (.bytes(let bytes), _):
      let text = String(decoding: ShardLabels.trimmed(bytes), as: UTF8.self)
      if let label = byName[text] { return label }
      if let number = Int(text), numbers != .name, names?.indices.contains(number) ?? (number >= 0) {
        return number
      }
      throw OnePassError.unknownLabelInRow(text, at: row(), known: names ?? [])
    case (.missing, _):
      preconditionFailure("A row without a label is left out before its label is looked up.")
    }
  }
}
