import Foundation
import OnePassData

/// Text escaped for HTML and SVG; control characters, which both forbid, become `\u{FFFD}`.
func escaped(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  func append(_ text: String) { result.append(contentsOf: text.unicodeScalars) }
  for character in text.unicodeScalars {
    switch character {
    case "&": append("&amp;")
    case "<": append("&lt;")
    case ">": append("&gt;")
    case "\"": append("&quot;")
    case "'": append("&#39;")
    case "\t", "\n": result.append(character)
    case _ where character.properties.generalCategory == .control || character.value & 0xFFFE == 0xFFFE:
      result.append("\u{FFFD}")
    default: result.append(character)
    }
  }
  return String(result)
}

/// Bytes in Base64, for a data URI.
func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

/// A chart with its title and a caption.
func figure(_ chart: Chart, _ caption: String) -> String {
  "<figure><figcaption>\(escaped(chart.title))<small>\(escaped(caption))</small></figcaption>\(chart.svg)</figure>"
}

/// Named figures, each with a remark.
func tileList(_ tiles: [(name: String, figure: String, more: String)]) -> String {
  let entries = tiles.map { tile in
    "<div><dt>\(tile.name)</dt><dd><b>\(tile.figure)</b><small>\(escaped(tile.more))</small></dd></div>"
  }
  return "<dl class=\"tiles\">\(entries.joined())</dl>"
}

extension Thumbnail {
  /// The image as an element with its data.
  /// - Parameters:
  ///   - alt: Its description, escaped.
  ///   - title: More about it, escaped.
  func html(alt: String, title: String) -> String {
    // Small images are enlarged without interpolation.
    let isSmall = max(width, height) <= 64
    return """
      <img\(isSmall ? " class=\"small\"" : "") width="\(width)" height="\(height)" \
      alt="\(alt)" \
      title="\(title)" \
      src="data:\(mediaType);base64,\(base64(bytes))"/>
      """
  }
}

extension ResultTable {
  /// The table as HTML, with horizontal scrolling on narrow pages.
  var html: String {
    // Long texts get a minimum width, so that a narrow page scrolls instead of wrapping each word.
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
