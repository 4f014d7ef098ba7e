import OnePass

/// A table of results: formatted rows for readers, and unrounded values for programs.
package struct ResultTable: Sendable {
  /// A value for programs.
  package enum Field: Sendable, Hashable {
    /// An unrounded number.
    case number(Double)
    /// A text, such as the name of a variant.
    case text(String)
    /// No value: `null` in JSON, empty in CSV.
    case none

    init(_ number: Double?) { self = number.map { .number($0) } ?? .none }
  }

  /// A column of the formatted rows.
  package struct Column: Sendable {
    /// The heading.
    package let name: String
    /// Whether the column has numbers and is aligned to the right.
    package let isNumeric: Bool
  }

  /// The title without the setting.
  package let title: String
  /// The model and the stream of the runs; `nil` if the context names them.
  package let setting: String?
  /// The columns of the formatted rows.
  package let columns: [Column]
  /// The formatted cells, a row for each list.
  package private(set) var rows: [[String]] = []
  /// Notes below the table.
  package var notes: [String] = []
  /// Unrounded values by name; the names are the same in each row.
  package private(set) var data: [[(name: String, value: Field)]] = []

  /// - Parameter columns: The headings; the prefix `#` marks a column of numbers.
  init(_ title: String, of setting: Setting? = nil, columns: [String]) {
    self.title = title
    self.setting = setting?.title
    self.columns = columns.map {
      Column(name: $0.hasPrefix("#") ? String($0.dropFirst()) : $0, isNumeric: $0.hasPrefix("#"))
    }
  }

  mutating func add(_ row: [String]) {
    precondition(row.count == columns.count, "A row must have a cell for each column.")
    rows.append(row)
  }

  mutating func add(data fields: [(name: String, value: Field)]) { data.append(fields) }
}

extension ResultTable {
  /// The title with the setting.
  package var heading: String { setting.map { "\(title): \($0)" } ?? title }

  /// The table as GitHub Flavored Markdown, with its heading and notes.
  package var markdown: String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = "|" + columns.map { $0.isNumeric ? "---:|" : "---|" }.joined()
    let table = ([line(columns.map(\.name)), rule] + rows.map(line)).joined(separator: "\n")
    return (["### \(heading)", table] + notes).joined(separator: "\n\n")
  }

  /// The unrounded values of tables of one layout as CSV (RFC 4180, with LF line ends).
  package static func csv(of tables: [ResultTable]) -> String {
    let data = tables.flatMap { table in table.data.map { [("table", .text(table.heading))] + $0 } }
    guard let first = data.first else { return "" }
    let lines = data.map { row in
      CSV.row(
        row.map { field in
          switch field.value {
          case .number(let value):
            value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
          case .text(let text): text
          case .none: ""
          }
        })
    }
    return ([CSV.row(first.map(\.name))] + lines).joined(separator: "\n")
  }
}

extension ResultTable: Encodable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Encodes the title, the setting, the notes and the unrounded values.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Name.self)
    try container.encode(title, forKey: Name(stringValue: "title"))
    try container.encode(setting, forKey: Name(stringValue: "setting"))
    try container.encode(notes, forKey: Name(stringValue: "notes"))
    var list = container.nestedUnkeyedContainer(forKey: Name(stringValue: "rows"))
    for row in data {
      var fields = list.nestedContainer(keyedBy: Name.self)
      for (name, value) in row {
        switch value {
        case .number(let number): try fields.encode(number, forKey: Name(stringValue: name))
        case .text(let text): try fields.encode(text, forKey: Name(stringValue: name))
        case .none: try fields.encodeNil(forKey: Name(stringValue: name))
        }
      }
    }
  }
}
