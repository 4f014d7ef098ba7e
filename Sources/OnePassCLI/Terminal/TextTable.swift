/// Rows of text in aligned columns: numbers to the right, text to the left.
struct TextTable {
  var header: [String]
  /// Whether each column is text; `nil` to decide by the cells.
  var isText: [Bool]?
  var rows: [[String]] = []

  init(header: [String], isText: [Bool]? = nil) {
    self.header = header
    self.isText = isText
  }

  var text: String {
    let lines = [header] + rows
    let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let isText =
      isText
      ?? header.indices.map { column in
        rows.contains { !($0[column].first?.isNumber ?? false) && $0[column] != "-" }
      }
    return lines.map { line in
      line.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - line[column].count)
        return isText[column] ? line[column] + padding : padding + line[column]
      }.joined(separator: "   ")
    }.joined(separator: "\n")
  }
}
