import Foundation
import OnePassCore

/// Image files that a text file lists with their labels, a line `PATH LABEL` for each.
///
/// ```
/// # comments and empty lines are passed over
/// val/ILSVRC2012_val_00000001.JPEG n01751748
/// val/ILSVRC2012_val_00000002.JPEG n09193705
/// ```
///
/// The list is UTF-8 text. The label is what follows the last space, or the last tab where the line has one
/// (then a label may hold spaces as a path always may). A path that does not begin with a slash is relative to
/// the list's folder. What a label means is decided for the whole list:
///
/// 1. Where class names are given and every label is one of them, the label is the name's place.
/// 2. Where every label is a number, 0 or more, it is the label itself.
/// 3. Otherwise labels are names: places among the names given, or else among the list's own names, sorted by
///    their bytes as ``FolderTable`` sorts its class folders.
///
/// Memory: the length of its path and 12 bytes for each image, no contents.
public struct ListTable: ExampleTable {
  public let classNames: [String]?
  /// The number of names, or where there are none the largest number plus 1.
  public let classCount: Int
  public var count: Int { rows.count }

  private let list: String
  /// What stands before a relative path: the list's folder and a slash, or nothing.
  private let folder: Substring
  /// The bytes of all paths, one after the other.
  private let pathBytes: [UInt8]
  private let rows: [Row]

  private struct Row {
    /// Where the path ends in `pathBytes`; it begins where that of the row before ends.
    let pathEnd: UInt32
    var label: UInt32
    let line: UInt32
  }

  /// Reads the list; no image is opened.
  /// - Parameters:
  ///   - list: the path of the text file.
  ///   - classNames: if given, what labels refer to, by name or by number.
  /// - Throws: `OnePassError`: `io` if the list is missing or cannot be read, `usage` if it is a folder,
  ///   `badData` if it is empty or no text, a line has no label, or a label is not one of the classes.
  public init(_ list: String, classNames: [String]? = nil) throws {
    guard existence(of: list).exists else {
      throw OnePassError(.io, "There is no list \(list). Check the path.")
    }
    guard !existence(of: list).isDirectory else {
      throw OnePassError(
        .usage, "\(list) is a folder. Name the text file that lists the images, or write folder:\(list).")
    }
    var reader = try LineReader(list)
    var found = ListedLabels()
    var pathBytes: [UInt8] = []
    var rows: [Row] = []
    while let line = try reader.next() {
      guard let (path, label) = try Self.parts(of: line, number: reader.number, in: list) else { continue }
      pathBytes += path
      guard let pathEnd = UInt32(exactly: pathBytes.count) else {
        throw OnePassError(
          .badData, "The paths in \(list) exceed 4 GiB. Split it, or pack the images into shards.")
      }
      let place = found.place(of: label, line: reader.number)
      rows.append(Row(pathEnd: pathEnd, label: place, line: UInt32(clamping: reader.number)))
    }
    guard !rows.isEmpty else {
      throw OnePassError(.badData, "The list \(list) names no image. Write a line PATH LABEL for each.")
    }
    let classes = try found.classes(named: classNames, in: list)
    for row in rows.indices { rows[row].label = classes.labels[Int(rows[row].label)] }
    self.list = list
    folder = list.lastIndex(of: "/").map { list[...$0] } ?? ""
    self.pathBytes = pathBytes
    self.rows = rows
    self.classNames = classes.names
    classCount = classes.count
  }

  public func label(at row: Int) -> Int { Int(rows[row].label) }

  public func image(at row: Int) throws -> EncodedImage {
    let path = file(at: row)
    return try readImageFile(path, called: "\(path) (line \(rows[row].line) of \(list))")
  }

  /// The path of the file in this row.
  public func path(at row: Int) -> String? { file(at: row) }

  private func file(at row: Int) -> String {
    let start = row == 0 ? 0 : Int(rows[row - 1].pathEnd)
    let path = String(decoding: pathBytes[start..<Int(rows[row].pathEnd)], as: UTF8.self)
    return path.hasPrefix("/") ? path : folder + path
  }

  /// The path and the label in a line, `nil` for an empty line and a comment.
  private static func parts(of line: String, number: Int, in list: String) throws -> (
    path: Substring.UTF8View, label: String
  )? {
    let line = trimmed(line[...].utf8)
    guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
    guard let gap = line.lastIndex(of: UInt8(ascii: "\t")) ?? line.lastIndex(of: UInt8(ascii: " ")) else {
      throw OnePassError(
        .badData, "Line \(number) of \(list) has no label. Write the image's path, a space and its class.")
    }
    let label = String(Substring(trimmed(line[gap...])))
    // A path with spaces and no label would pass otherwise, and so would the two the wrong way round.
    guard !isImageName(Array(label.utf8)) else {
      throw OnePassError(
        .badData,
        "Line \(number) of \(list) ends in \(label) where its label belongs. "
          + "Write the image's path, a space and its class.")
    }
    return (trimmed(line[..<gap]), label)
  }

  private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
    func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    guard let last = text.lastIndex(where: { !isBlank($0) }) else { return text[text.endIndex...] }
    return text[...last].drop(while: isBlank)
  }
}

/// `list:FILE`.
func openList(_ request: SourceRequest) throws -> any ExampleSource {
  let list = try request.requiredArgument("list:FILE, where FILE holds a line PATH LABEL for each image")
  let table = try ListTable(list, classNames: request.classNames)
  return try request.shuffled(table)
}
