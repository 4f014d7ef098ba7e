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
    func row(_ cells: [String], _ tag: String) -> String {
      let cells = zip(columns, cells).map { column, text in
        "<\(tag)\(column.isNumeric ? " class=n" : "")>\(escaped(text))</\(tag)>"
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
