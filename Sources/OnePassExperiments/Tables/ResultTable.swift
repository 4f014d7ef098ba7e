/// A table of results: as it is shown, and the bare figures behind it.
package struct ResultTable: Sendable {
  /// A figure, or a word, for programs.
  package enum Field: Sendable, Hashable {
    case number(Double)
    case text(String)
    case none

    init(_ number: Double?) { self = number.map { .number($0) } ?? .none }
  }

  package struct Column: Sendable {
    package let name: String
    package let isNumeric: Bool
  }

  package let title: String
  /// What the runs were made on, where that has to be said.
  package let setting: String?
  package let columns: [Column]
  package private(set) var rows: [[String]] = []
  /// What has to be known to read it, a sentence each.
  package var notes: [String] = []
  /// Figures without rounding: every row a list of names and values, the same names in each.
  package private(set) var data: [[(name: String, value: Field)]] = []

  /// - Parameter columns: A name that begins with `#` is that of a column of numbers.
  init(_ title: String, of setting: Setting? = nil, columns: [String]) {
    self.title = title
    self.setting = setting?.title
    self.columns = columns.map {
      Column(name: $0.hasPrefix("#") ? String($0.dropFirst()) : $0, isNumeric: $0.hasPrefix("#"))
    }
  }

  mutating func add(_ row: [String]) {
    precondition(row.count == columns.count, "A row has a cell for each column.")
    rows.append(row)
  }

  mutating func add(data fields: [(name: String, value: Field)]) { data.append(fields) }
}

extension ResultTable {
  /// Title and setting.
  package var heading: String { setting.map { "\(title): \($0)" } ?? title }

  /// GitHub's Markdown.
  package var markdown: String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    let rule = "|" + columns.map { $0.isNumeric ? "---:|" : "---|" }.joined()
    let table = ([line(columns.map(\.name)), rule] + rows.map(line)).joined(separator: "\n")
    return (["### \(heading)", table] + notes).joined(separator: "\n\n")
  }

  /// The bare figures of tables of one layout as comma-separated values (RFC 4180, with plain line ends).
  package static func csv(of tables: [ResultTable]) -> String {
    let data = tables.flatMap { table in table.data.map { [("table", .text(table.heading))] + $0 } }
    guard let first = data.first else { return "" }
    func quoted(_ text: String) -> String {
      text.contains(where: { ",\"\n\r".contains($0) }) ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
    }
    let lines = data.map { row in
      row.map { field in
        switch field.value {
        case .number(let value): value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
        case .text(let text): quoted(text)
        case .none: ""
        }
      }.joined(separator: ",")
    }
    return ([first.map { quoted($0.name) }.joined(separator: ",")] + lines).joined(separator: "\n")
  }
}

extension ResultTable: Encodable {
  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// The title, the setting, the notes and the bare figures.
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
