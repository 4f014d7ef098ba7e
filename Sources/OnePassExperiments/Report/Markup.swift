/// Text as HTML and SVG take it literally.
func escaped(_ text: String) -> String {
  var result = ""
  for character in text {
    switch character {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    default: result.append(character)
    }
  }
  return result
}

extension ResultTable {
  /// The table as HTML, which scrolls sideways where a page is too narrow for it.
  var html: String {
    // Sentences get room, so that a narrow page scrolls rather than break them into single words.
    let kinds = columns.enumerated().map { index, column in
      column.isNumeric ? " class=n" : rows.contains { $0[index].count > 24 } ? " class=w" : ""
    }
    func row(_ cells: [String], _ tag: String) -> String {
      let cells = zip(columns.indices, cells).map { index, text in
        "<\(tag)\(kinds[index])>\(escaped(text))</\(tag)>"
      }
      return "<tr>" + cells.joined() + "</tr>"
    }
    return """
      <div class=wide tabindex=0 role=region aria-label="\(escaped(title))"><table>
      <caption>\(escaped(title))</caption>
      <thead>\(row(columns.map(\.name), "th"))</thead>
      <tbody>
      \(rows.map { row($0, "td") }.joined(separator: "\n"))
      </tbody></table></div>
      \(notes.map { "<p class=note>\(escaped($0))</p>" }.joined(separator: "\n"))
      """
  }
}
