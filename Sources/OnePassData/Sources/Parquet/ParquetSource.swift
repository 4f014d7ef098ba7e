import Foundation
import OnePassCore

/// Parquet files with images and labels, in the layout of Hugging Face data sets.
///
/// An image is a column of bytes, a column of paths, or a structure of bytes and path. Paths are relative to the folder of the
/// Parquet file. A label is an integer, a text or a Boolean value. Files and row groups are read in order, only the columns of
/// images and labels, one page at a time. Rows without an image or a label are left out and reported.
///
/// The `datasets` library records the classes and the types of the columns in the footer. Without that record, the
/// columns are found by their names: `image`, `img`, `jpg`, `png` and `label`, `labels`, `fine_label`, `cls`.
///
/// If the labels are text and no file has class names, the label columns are read once in advance.
///
/// Memory: a page of images, compressed and decompressed, and a page of labels. Some writers make a whole row group one
/// page. One file is open at a time.
///
/// ```swift
/// let stream = try ParquetSource("cats/train-{00000..00009}.parquet")
/// while let example = try stream.next() { print(example.id, example.label) }
/// ```
public final class ParquetSource: SurveyableSource {
  /// The specification that opens this source again, without secrets.
  public let specification: String
  /// The names of the classes in label order; `nil` if neither the files nor the caller has them.
  public var classNames: [String]? { labels.names }
  /// The number of classes; `nil` until names or a survey state it.
  public var knownClassCount: Int? { labels.count }
  /// The number of examples delivered or skipped.
  public private(set) var position = 0

  /// Always `false`: rows are delivered in the order of the files.
  public var orderDependsOnSeed: Bool? { false }
  /// The rows that were left out up to the current position, and what was chosen.
  public private(set) var report = SourceReport()

  private let paths: [String]
  private var files: [ParquetPart] = []
  private let labels: ParquetLabels
  private let classCount: Int?
  private var file = 0
  /// The index of the next row group of the file.
  private var group = 0
  /// The row group that is being read.
  private var rows: ParquetRows?
  /// The number of examples that were read from it.
  private var taken = 0
  /// The row of the next example, where it was read together with the rows before it that are left out.
  private var ahead: Row?
  /// Whether the footers state that nothing is left out of the current row group.
  private var skipsNothing = true
  /// The file that is open.
  private var reading: (file: Int, read: ParquetReader)?
  private var failure: OnePassError?

  /// Reads the footers of all files.
  /// - Parameters:
  ///   - pattern: Paths or addresses, as for ``WebDatasetSource``.
  ///   - classNames: The class names in label order. If the files have names, they must be among them.
  ///   - imageColumn: The column of images; it is chosen by types and names if `nil`.
  ///   - labelColumn: The column of labels; it is chosen by types and names if `nil`.
  /// - Throws: `OnePassError`: `usage` for a malformed pattern or an unknown column, `io` for a file that cannot be read,
  ///   `badData` for a file that is not readable Parquet, lacks a column or has other class names.
  public convenience init(
    _ pattern: String, classNames: [String]? = nil, imageColumn: String? = nil, labelColumn: String? = nil
  ) throws {
    try self.init(
      SourceRequest(
        specification: "hf:\(pattern)", argument: pattern, seed: 0, classNames: classNames, subjectKey: nil,
        imageColumn: imageColumn, labelColumn: labelColumn))
  }

  init(_ request: SourceRequest, http: HTTPLimits = HTTPLimits()) throws {
    specification = HTTPAddress.shown(request.specification)
    classCount = request.classCount
    if let key = request.subjectKey { throw OnePassError.noSubjects(in: specification, for: key) }
    let pattern = try ShardPattern(
      request.requiredArgument("hf:DIR/train-{00000..00009}.parquet or hf:https://…"))
    var report = SourceReport()
    paths = pattern.shards
    files = try pattern.shards.map { path in
      let access = try ParquetAccess(path, http)
      let footer = try access.footer()
      let columns = try ParquetColumns(of: footer, image: request.imageColumn, label: request.labelColumn)
      report.add(columns.report)
      return try ParquetPart(access, footer, columns)
    }
    report.chooseOtherColumns(of: files)
    labels = try ParquetLabels(request.classNames, files, &report)
    self.report = report
    if labels.needNames { try findClasses() }
  }

  /// The number of examples; `nil` if the footers do not state how many rows lack an image or a label.
  public var knownCount: Int? {
    var sum = 0
    for group in files.lazy.flatMap(\.groups) {
      guard let examples = group.examples else { return nil }
      sum += examples
    }
    return sum
  }

  /// Whether labels are positions among the sorted names that a survey has found.
  public var labelsFollowNames: Bool { labels.areSorted }

  /// Visits the files: their names, and the sizes of local files.
  public func visitListing(_ visit: (ListedEntry) -> Void) -> Bool {
    for path in paths { visit(ListedEntry(shard: path)) }
    return true
  }

  /// The example in the next row that has an image and a label; `nil` at the end of the last file.
  /// - Throws: `OnePassError`: `badData` if a file is damaged or a label is not one of the classes, `io` if reading fails.
  public func next() throws -> Example? {
    if let failure { throw failure }
    do {
      guard let row = try takeRow() else { return nil }
      let label = try labels.label(of: row.label, ofFile: row.file, at: name(of: row))
      let example = Example(id: position, label: label, image: try image(of: row))
      try advance()
      return example
    } catch let error as OnePassError {
      failure = error
      throw error
    }
  }

  private func image(of row: Row) throws -> EncodedImage {
    switch row.image {
    case .bytes(let bytes):
      guard bytes.count <= largestImageFile else {
        throw OnePassError.imageFileIsTooLarge(name(of: row), bytes: bytes.count, limit: largestImageFile)
      }
      return EncodedImage(bytes: bytes)
    case .path(let path):
      return try readImageFile(path, called: "\(String(escaping: path)) (\(name(of: row)))")
    case .missing: return EncodedImage(bytes: [])
    }
  }

  /// Skips examples without looking up their labels or reading files; returns how many there were.
  /// - Throws: `OnePassError` (`badData`, `io`), as ``next()``.
  public func skip(_ count: Int) throws -> Int {
    for skipped in 0..<count {
      guard try takeRow() != nil else { return skipped }
      try advance()
    }
    return count
  }

  /// Continues at a position, skipping whole files and row groups and then single rows.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter; errors of reading.
  public func restore(position target: Int) throws {
    precondition(position == 0 && rows == nil, "A source must be restored before anything is read from it.")
    if let knownCount { try checkRestore(to: target, within: knownCount, of: specification) }
    while position < target {
      if rows == nil, ahead == nil, skipGroup(before: target) { continue }
      guard try skip(1) == 1 else {
        return try checkRestore(to: target, within: position, of: specification)
      }
    }
    if position > 0 { try lookAhead() }
  }

  /// Skips the next row group if it ends before the position.
  private func skipGroup(before target: Int) -> Bool {
    guard let (_, next) = nextGroup(), let examples = next.examples, position + examples <= target else {
      return false
    }
    position += examples
    group += 1
    return true
  }

  /// Continues with the report of an earlier run at this position.
  public func restore(report: SourceReport) { self.report = report }

  // MARK: Rows

  /// A row with an image and a label.
  private struct Row {
    let image: ParquetRows.Image
    let label: ParquetColumn.Value
    let file: Int
    let number: Int
  }

  /// The name of a row in messages.
  private func name(of row: Row) -> String { "\(files[row.file].name), row \(row.number)" }

  private func takeRow() throws -> Row? {
    guard let row = ahead else { return try readRow() }
    ahead = nil
    return row
  }

  /// Counts an example, and reports the rows behind it that are left out.
  ///
  /// A run does not ask for more than its last example. So a report also depends on the position alone.
  private func advance() throws {
    position += 1
    try lookAhead()
  }

  private func lookAhead() throws {
    if rows == nil { skipsNothing = nextGroup().map { $0.group.examples == $0.group.rows } ?? true }
    if !skipsNothing, ahead == nil { ahead = try readRow() }
  }

  /// Reads the next row that is not left out; returns `nil` at the end of the last file.
  private func readRow() throws -> Row? {
    while let rows = try rows ?? openGroup() {
      guard let row = try rows.next() else { throw OnePassError.unreadableParquet(rows.name, .damagedPage) }
      let image = report.take(rows.judge(row), named: rows.rowName)
      let found = image.map { Row(image: $0, label: row.label, file: file, number: rows.rowNumber) }
      if found != nil { taken += 1 }
      if rows.isAtEnd { try closeGroup() }
      if let found { return found }
    }
    return nil
  }

  /// The next row group of the file or of the files after it, without opening it.
  private func nextGroup() -> (file: Int, group: ParquetPart.Group)? {
    while file < files.count {
      if group < files[file].groups.count { return (file, files[file].groups[group]) }
      (file, group) = (file + 1, 0)
    }
    return nil
  }

  private func openGroup() throws -> ParquetRows? {
    guard let (file, next) = nextGroup() else {
      reading = nil
      return nil
    }
    let opened = try ParquetRows(files[file], next, by: reader(of: file))
    (rows, taken, skipsNothing) = (opened, 0, next.examples == next.rows)
    return opened
  }

  /// Checks that the row group had as many examples as the footer or a survey states.
  private func closeGroup() throws {
    let expected = files[file].groups[group].examples
    guard expected == nil || expected == taken else {
      throw OnePassError.unreadableParquet(
        files[file].name, .otherCount(taken, expected: expected ?? 0, rowGroup: group))
    }
    files[file].groups[group].examples = taken
    rows = nil
    group += 1
  }

  /// Opens a file, unless it is open. The file before it is closed.
  private func reader(of file: Int) throws -> ParquetReader {
    if let reading, reading.file == file { return reading.read }
    reading = nil
    let read = try files[file].access.open()
    reading = (file, read)
    return read
  }

  // MARK: Surveys

  /// Reads the labels of all files once. Images are read only where a footer does not state how many rows have none.
  ///
  /// - Throws: `OnePassError`: `usage` if images at an address would be read; `badData` and `io` as ``next()``.
  public func survey() throws -> Survey {
    let found = labels.count == nil ? ShardLabels.collecting() : nil
    for (index, part) in files.enumerated() {
      var read: ParquetReader?
      for (number, group) in part.groups.enumerated() where group.examples == nil || found != nil {
        if read == nil { read = try part.access.open() }
        guard let read else { continue }
        files[index].groups[number].examples = try count(group, of: part, index, found, by: read)
      }
    }
    if let found { try labels.adopt(found, classCount: classCount, &report) }
    return Survey(count: knownCount ?? 0, classCount: labels.count ?? 0)
  }

  /// Counts the examples of a row group, and notes their labels.
  private func count(
    _ group: ParquetPart.Group, of part: ParquetPart, _ file: Int, _ found: ShardLabels?,
    by read: @escaping ParquetReader
  ) throws -> Int {
    var count = 0
    guard group.examples == nil, !group.hasAllImages else {
      let column = try ParquetRows.labels(part, group, by: read)
      while let label = try column.next() {
        if !label.isMissing { count += 1 }
        if let found { labels.note(label, ofFile: file, in: found) }
      }
      return group.examples ?? count
    }
    guard part.access.folder != nil else {
      throw OnePassError.lengthIsUnknown(ofRemoteParquet: part.name)
    }
    let rows = try ParquetRows(part, group, by: read)
    while let row = try rows.next() {
      if case .take = rows.judge(row) { count += 1 }
      if let found { labels.note(row.label, ofFile: file, in: found) }
    }
    return count
  }

  /// Reads the label columns for the classes that text stands for.
  private func findClasses() throws {
    let found = ShardLabels.collecting()
    for (index, part) in files.enumerated() where !part.groups.isEmpty {
      let read = try part.access.open()
      for group in part.groups {
        let column = try ParquetRows.labels(part, group, by: read)
        while let label = try column.next() { labels.note(label, ofFile: index, in: found) }
      }
    }
    try labels.adopt(found, classCount: classCount, &report)
  }
}

extension SourceReport {
  /// Records that a further file has its images or labels in another column than the first.
  fileprivate mutating func chooseOtherColumns(of files: [ParquetPart]) {
    guard let first = files.first else { return }
    for file in files where file.columns.image.name != first.columns.image.name {
      choose("the image column of \(file.name)", taken: file.columns.image.name, others: [])
      break
    }
    for file in files where file.columns.label.name != first.columns.label.name {
      choose("the label column of \(file.name)", taken: file.columns.label.name, others: [])
      break
    }
  }
}

/// `hf:PATTERN`.
func openParquet(_ request: SourceRequest) throws -> any ExampleSource { try ParquetSource(request) }
