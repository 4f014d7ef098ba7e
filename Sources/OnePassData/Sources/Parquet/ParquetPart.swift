import Foundation
import OnePassCore

/// A file of a stream: its columns, and where the row groups have them.
struct ParquetPart {
  /// The location of a row group, and how many examples it has.
  struct Group {
    /// The number of the first row in the file.
    let firstRow: Int
    let rows: Int
    let image: ParquetFile.Chunk?
    let path: ParquetFile.Chunk?
    let label: ParquetFile.Chunk
    /// The number of rows that are not left out; `nil` until the rows were looked at.
    var examples: Int?
  }

  let access: ParquetAccess
  let columns: ParquetColumns
  /// The row groups that have rows.
  var groups: [Group] = []

  var name: String { access.name }

  /// - Throws: `OnePassError` (`badData`) if a row group lacks a column or its metadata is damaged.
  init(_ access: ParquetAccess, _ footer: ParquetFile, _ columns: ParquetColumns) throws {
    (self.access, self.columns) = (access, columns)
    var firstRow = 0
    for (index, rows) in footer.groupRows.enumerated() where rows > 0 {
      func chunk(_ leaf: ParquetLeaf) throws -> ParquetFile.Chunk {
        try footer.chunk(of: leaf, group: index)
      }
      groups.append(
        Group(
          firstRow: firstRow, rows: rows, image: try columns.image.bytes.map(chunk),
          path: try columns.image.path.map(chunk), label: try chunk(columns.label)))
      groups[groups.count - 1].countExamples(hasFiles: access.folder != nil)
      firstRow += rows
    }
  }
}

extension ParquetPart.Group {
  /// Counts the examples if the numbers of missing values in the footer decide it.
  /// - Parameter hasFiles: Whether images can be files beside the Parquet file.
  fileprivate mutating func countExamples(hasFiles: Bool) {
    let lackingPath = path == nil || !hasFiles ? rows : path?.missing
    switch (label.missing, image == nil ? rows : image?.missing) {
    case (let labels?, 0): examples = rows - labels
    case (0, let images?) where lackingPath == rows: examples = rows - images
    default: break
    }
  }

  /// Whether every row has its image in the file.
  var hasAllImages: Bool { image?.missing == 0 }
}

/// The rows of a row group, in order. Owned by one thread.
final class ParquetRows {
  /// Where a row has its image.
  enum Image {
    case bytes([UInt8])
    /// The path of a file.
    case path([UInt8])
    case missing
  }

  private let part: ParquetPart
  private let group: ParquetPart.Group
  private let read: ParquetReader
  private let images: ParquetColumn?
  private let labels: ParquetColumn
  /// Opened for the first row without an image, since most files only note names of origin there.
  private var paths: ParquetColumn?
  /// The number of rows of `paths` that were read.
  private var pathRows = 0
  /// The number of rows that were read.
  private var row = 0

  init(_ part: ParquetPart, _ group: ParquetPart.Group, by read: @escaping ParquetReader) throws {
    (self.part, self.group, self.read) = (part, group, read)
    images = try Self.column(group.image, part.columns.image.bytes, of: part, by: read)
    labels = try Self.labels(part, group, by: read)
  }

  /// The column of labels alone.
  static func labels(
    _ part: ParquetPart, _ group: ParquetPart.Group, by read: ParquetReader
  ) throws -> ParquetColumn {
    ParquetColumn(group.label, of: part.columns.label, in: part.name, input: try read(group.label.range))
  }

  private static func column(
    _ chunk: ParquetFile.Chunk?, _ leaf: ParquetLeaf?, of part: ParquetPart, by read: ParquetReader
  ) throws -> ParquetColumn? {
    guard let chunk, let leaf else { return nil }
    return ParquetColumn(chunk, of: leaf, in: part.name, input: try read(chunk.range))
  }

  /// The name of the file.
  var name: String { part.name }
  var isAtEnd: Bool { row == group.rows }

  /// The number in the file of the row that was read last, from 0.
  var rowNumber: Int { group.firstRow + row - 1 }
  /// Its name in messages.
  var rowName: String { "\(part.name), row \(rowNumber)" }

  /// The next row; `nil` after the last.
  /// - Throws: `OnePassError`: `badData` if the file is damaged, `io` if reading fails.
  func next() throws -> (image: Image, label: ParquetColumn.Value)? {
    guard let label = try labels.next() else { return nil }
    row += 1
    if case .bytes(let bytes)? = try images?.next() { return (.bytes(bytes), label) }
    guard group.path != nil else { return (.missing, label) }
    if paths == nil { paths = try Self.column(group.path, part.columns.image.path, of: part, by: read) }
    var path = ParquetColumn.Value.missing
    while pathRows < row {
      path = try paths?.next() ?? .missing
      pathRows += 1
    }
    guard case .bytes(let bytes) = path else { return (.missing, label) }
    return (.path(bytes), label)
  }

  /// Decides about a row.
  /// - Returns: The image, whose path is that of an existing file.
  func judge(_ row: (image: Image, label: ParquetColumn.Value)) -> Verdict<Image> {
    if row.label.isMissing { return .leaveOut(.rowWithoutLabel) }
    switch row.image {
    case .bytes: return .take(row.image)
    case .missing: return .leaveOut(.rowWithoutImage)
    case .path(let path):
      guard let folder = part.access.folder, !HTTPAddress.isMeant(by: String(decoding: path, as: UTF8.self))
      else { return .leaveOut(.remoteImageFile) }
      let whole = path.first == slash ? path : Array(folder.utf8) + path
      return isFile(whole) ? .take(.path(whole)) : .leaveOut(.missingImageFile)
    }
  }

  private func isFile(_ path: [UInt8]) -> Bool {
    var status = stat()
    return !path.contains(0) && path.withCString { stat($0, &status) } == 0
      && status.st_mode & S_IFMT == S_IFREG
  }
}
