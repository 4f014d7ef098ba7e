import OnePassCore

/// The division of a list's lines into a path and a label.
///
/// Without a header, a line is `PATH LABEL`: the label follows the last tab, or the last space if there is no tab. A first
/// line with the names of the two columns, separated by tabs, commas or spaces, selects them among any number of columns.
struct ListColumns {
  /// The columns of a header.
  private struct Header {
    /// A tab, a comma or a space; `nil` if the lines are `PATH LABEL`.
    let separator: UInt8?
    let names: [String]
    let path: Int
    let label: Int
  }

  private let header: Header?

  static let pathNames: Set = [
    "path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img",
    "img_path",
  ]
  static let labelNames: Set = [
    "label", "class", "class_name", "classname", "target", "category", "label_name",
  ]
  private static let tab = UInt8(ascii: "\t")
  private static let comma = UInt8(ascii: ",")
  private static let space = UInt8(ascii: " ")

  /// The columns of a list with this first line.
  /// - Throws: `OnePassError` (`badData`) if the line is a header in which two columns could be the path or the label.
  init(firstLine line: String, of list: String) throws {
    header = try Self.header(line, of: list)
  }

  /// Whether the first line is a header.
  var isHeader: Bool { header != nil }

  /// Reports the columns that were taken from several.
  func report(to report: inout SourceReport) {
    guard let header, header.names.count > 2 else { return }
    let others = header.names.indices.filter { $0 != header.path && $0 != header.label }
    report.choose(
      "the columns of the path and the label",
      taken: "\(header.names[header.path]), \(header.names[header.label])",
      others: others.map { header.names[$0] })
  }

  private static func header(_ line: String, of list: String) throws -> Header? {
    for separator in [tab, comma, space] {
      let names = fields(line, separator)
      guard names.count >= 2 else { continue }
      let paths = names.indices.filter { pathNames.contains(names[$0].lowercased()) }
      let labels = names.indices.filter { labelNames.contains(names[$0].lowercased()) }
      guard let path = paths.first, let label = labels.first else { continue }
      guard paths.count == 1, labels.count == 1 else {
        throw OnePassError.ambiguousListHeader((paths.count > 1 ? paths : labels).map { names[$0] }, of: list)
      }
      // Paths may contain spaces.
      let isPlain = separator == space && names.count == 2 && path == 0
      return Header(separator: isPlain ? nil : separator, names: names, path: path, label: label)
    }
    return nil
  }

  /// The path and the label in a line.
  /// - Throws: `OnePassError` (`badData`) if the line has no label or other columns.
  func parts(of line: String, number: Int, in list: String) throws -> (path: [UInt8], label: String) {
    let (path, label) =
      if let header, let separator = header.separator {
        try Self.parts(of: line, header, separator, number: number, in: list)
      } else {
        try Self.parts(of: line, number: number, in: list)
      }
    // Catches a path with spaces and no label, and a label before its path.
    guard !isImageName(Array(label.utf8)) else {
      throw OnePassError.imageNameInPlaceOfLabel(label, onLine: number, of: list)
    }
    return (Array(path.utf8), label)
  }

  private static func parts(
    of line: String, _ header: Header, _ separator: UInt8, number: Int, in list: String
  ) throws -> (path: String, label: String) {
    let fields = fields(line, separator)
    guard fields.count == header.names.count else {
      throw OnePassError.otherListColumns(
        fields.count, onLine: number, of: list, header: header.names.count)
    }
    guard !fields[header.label].isEmpty else { throw OnePassError.noLabel(onLine: number, of: list) }
    return (fields[header.path], fields[header.label])
  }

  private static func parts(
    of line: String, number: Int, in list: String
  ) throws -> (path: String, label: String) {
    let bytes = line.utf8
    let hasTab = bytes.contains(tab)
    guard let gap = bytes.lastIndex(of: hasTab ? tab : space) else {
      guard fields(line, comma).count < 2 else { throw OnePassError.listOfCommas(onLine: number, of: list) }
      throw OnePassError.noLabel(onLine: number, of: list)
    }
    let (path, label) = (LineReader.trimmed(line[..<gap]), LineReader.trimmed(line[gap...]))
    if hasTab {
      let columns = fields(line, tab).count { !$0.isEmpty }
      guard columns <= 2 else { throw OnePassError.severalListColumns(columns, onLine: number, of: list) }
    } else if !isImageName(Array(label.utf8)), let columns = columnsAfterImage(path) {
      throw OnePassError.severalListColumns(columns + 1, onLine: number, of: list)
    }
    guard path.utf8.last != comma else { throw OnePassError.listOfCommas(onLine: number, of: list) }
    return (path, label)
  }

  /// The number of columns in text that starts with an image's path and continues with other words; `nil` if it is a path.
  private static func columnsAfterImage(_ text: String) -> Int? {
    let words = fields(text, space).filter { !$0.isEmpty }
    guard words.count > 1, !isImageName(Array(words[words.count - 1].utf8)),
      let image = words.lastIndex(where: { isImageName(Array($0.utf8)) })
    else { return nil }
    return words.count - image
  }

  /// The fields of a line, without spaces around them. Fields separated by commas may be in double quotes.
  private static func fields(_ line: String, _ separator: UInt8) -> [String] {
    guard separator == comma, line.utf8.contains(UInt8(ascii: "\"")) else {
      return line.utf8.split(separator: separator, omittingEmptySubsequences: separator == space)
        .map { LineReader.trimmed(Substring($0)) }
    }
    var fields: [String] = [""]
    var isQuoted = false
    for character in line {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == ",", !isQuoted {
        fields.append("")
      } else {
        fields[fields.count - 1].append(character)
      }
    }
    return fields.map { LineReader.trimmed($0[...]) }
  }
}
