import Foundation
import OnePassCore

/// Image files and labels from a text file with one line `PATH LABEL` per image.
///
/// ```
/// # comments and empty lines are ignored
/// val/ILSVRC2012_val_00000001.JPEG n01751748
/// val/ILSVRC2012_val_00000002.JPEG n09193705
/// ```
///
/// The list is UTF-8 text. The label follows the last tab of the line, or the last space if there is no tab.
/// Paths may contain spaces; labels only after a tab. A path without a leading slash is relative to the list's
/// folder. A list with more columns needs a header: a first line with the names of all columns, separated by tabs or commas,
/// of which one is `path`, `file` or `image` and one is `label` or `class`.
///
/// The first rule that applies decides what all labels of the list mean:
///
/// 1. Class names are given and every label is one of them: the label is the name's index.
/// 2. Every label is a number, 0 or more, and below the number of classes. If that is not given, every number is below
///    1,000 or below twice the number of different labels: the label is that number.
/// 3. Labels are names, also numbers that are too sparse for indices: indices among the given names, or else among the list's
///    own names, sorted as ``FolderTable`` sorts its class folders.
///
/// Memory: for each image its path and 12 bytes.
///
/// ```swift
/// let table = try ListTable("imagenet/val.txt")
/// let stream = ShuffledSource(table, specification: "list:imagenet/val.txt", seed: 1)
/// ```
public struct ListTable: ExampleTable {
  /// The names of the classes in label order; `nil` if the labels are numbers and no names were given.
  public let classNames: [String]?
  /// The number of class names; without names, the largest label plus 1.
  public let classCount: Int
  /// The number of images listed.
  public var count: Int { rows.count }

  private let list: String
  /// The prefix of relative paths: the list's folder and a slash, or nothing.
  private let folder: Substring
  /// The bytes of all paths, without separators.
  private let pathBytes: [UInt8]
  private let rows: [Row]

  private struct Row {
    /// The end of the path in `pathBytes`. It starts where the previous row's path ends.
    let pathEnd: UInt32
    var label: UInt32
    let line: UInt32
  }

  /// What was chosen when the list was read.
  public private(set) var report = SourceReport()
  /// Whether the labels are positions among the sorted names of the list.
  public let labelsFollowNames: Bool

  /// Reads the list without opening an image.
  /// - Parameters:
  ///   - list: The path of the text file.
  ///   - classNames: The classes in label order, to which labels refer by name or by number.
  ///   - classCount: The number of classes, if it is known.
  /// - Throws: `OnePassError`: `io` if the list cannot be read; `usage` if it is a folder. `badData` if it is empty or not
  ///   text, a line has no label or more columns, or a label is not one of the classes.
  public init(_ list: String, classNames: [String]? = nil, classCount: Int? = nil) throws {
    guard existence(of: list).exists else {
      throw OnePassError.noSuchFile(list)
    }
    guard !existence(of: list).isDirectory else {
      throw OnePassError.isFolder(list, expected: .list)
    }
    var reader = try LineReader(list)
    var found = ListedLabels()
    var pathBytes: [UInt8] = []
    var rows: [Row] = []
    var columns: ListColumns?
    try reader.walk(into: &report) { line, number -> Verdict<(path: [UInt8], label: String)?> in
      guard let columns else {
        let first = try ListColumns(firstLine: line, of: list)
        columns = first
        return .take(first.isHeader ? nil : try first.parts(of: line, number: number, in: list))
      }
      return .take(try columns.parts(of: line, number: number, in: list))
    } taking: { entry, number in
      guard let (path, label) = entry else { return }
      pathBytes += path
      guard let pathEnd = UInt32(exactly: pathBytes.count) else {
        throw OnePassError.listedPathsAreTooLong(in: list)
      }
      let place = found.place(of: label, line: number)
      rows.append(Row(pathEnd: pathEnd, label: place, line: UInt32(clamping: number)))
    }
    guard !rows.isEmpty else {
      throw OnePassError.noImagesListed(in: list)
    }
    columns?.report(to: &report)
    let classes = try found.classes(named: classNames, count: classCount, in: list)
    if classes.areSparseNumbers { report.chooseNamesForNumbers() }
    for row in rows.indices { rows[row].label = classes.labels[Int(rows[row].label)] }
    self.list = list
    folder = list.lastIndex(of: "/").map { list[...$0] } ?? ""
    self.pathBytes = pathBytes
    self.rows = rows
    self.classNames = classes.names
    self.classCount = classes.count
    labelsFollowNames = classes.names != nil && classNames == nil
  }

  /// The class of the image in this row, `0 ..< count`.
  public func label(at row: Int) -> Int { Int(rows[row].label) }

  /// The image file in this row.
  /// - Throws: `OnePassError` with the line of the list: `io` if the file cannot be read, `badData` if it is too large.
  public func image(at row: Int) throws -> EncodedImage {
    let path = file(at: row)
    return try readImageFile(Array(path.utf8), called: "\(path) (line \(rows[row].line) of \(list))")
  }

  /// The path in the list and the label.
  public func listed(at row: Int) -> ListedEntry {
    ListedEntry(name: Array(listedPath(at: row)), label: label(at: row))
  }

  private func listedPath(at row: Int) -> ArraySlice<UInt8> {
    pathBytes[(row == 0 ? 0 : Int(rows[row - 1].pathEnd))..<Int(rows[row].pathEnd)]
  }

  /// The path of the file in this row.
  public func path(at row: Int) -> String? { file(at: row) }

  private func file(at row: Int) -> String {
    let path = String(decoding: listedPath(at: row), as: UTF8.self)
    return path.hasPrefix("/") ? path : folder + path
  }
}

/// `list:FILE`.
func openList(_ request: SourceRequest) throws -> any ExampleSource {
  let list = try request.requiredArgument("list:FILE, where FILE has one line PATH LABEL per image")
  let table = try ListTable(list, classNames: request.classNames, classCount: request.classCount)
  return try request.shuffled(table)
}
