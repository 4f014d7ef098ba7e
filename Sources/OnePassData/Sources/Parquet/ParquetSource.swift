import Foundation
import OnePassCore

/// Parquet files with images and labels, in the layout of Hugging Face data sets.
///
/// An image is a column of bytes, or a structure of bytes and path. Files and row groups are read in order, only the
/// columns of images and labels, one page at a time. The footers state the length.
///
/// The `datasets` library records the classes and the types of the columns in the footer. Without that record, the
/// columns are found by their names: `image`, `img`, `jpg`, `png` and `label`, `labels`, `fine_label`, `cls`.
///
/// Memory: a page of images, compressed and decompressed, and the labels of a row group. Some writers make a whole row
/// group one page.
///
/// ```swift
/// let stream = try ParquetSource("cats/train-{00000..00009}.parquet")
/// while let example = try stream.next() { print(example.id, example.label) }
/// ```
public final class ParquetSource: ExampleSource {
  /// The specification that opens this source again, without secrets.
  public let specification: String
  /// The names of the classes in label order; `nil` if neither the files nor the caller has them.
  public let classNames: [String]?
  /// The number of classes; `nil` without names.
  public var knownClassCount: Int? { classNames?.count }
  /// The number of examples delivered.
  public private(set) var position = 0

  /// What was chosen among several columns. Every row is delivered.
  public private(set) var report: SourceReport

  private let files: [Part]
  private var file = 0
  private var group = 0
  /// The row group that is being read.
  private var open: (images: ParquetColumn, labels: ParquetColumn)?
  private var failure: OnePassError?

  /// A file, its columns and how to read it.
  private struct Part {
    let footer: ParquetFile
    let image: ParquetFile.Column
    let label: ParquetFile.Column
    let read: (Range<Int>) throws -> any ByteInput
  }

  /// Reads the footers of all files.
  /// - Parameters:
  ///   - pattern: Paths or addresses, as for ``WebDatasetSource``.
  ///   - classNames: The class names in label order. If the files have names, they must be the same.
  /// - Throws: `OnePassError`: `usage` for a malformed pattern, `io` for a file that cannot be read, `badData` for one that
  ///   is not a readable Parquet file, lacks a column or has other class names.
  public convenience init(_ pattern: String, classNames: [String]? = nil) throws {
    try self.init(
      SourceRequest(
        specification: "hf:\(pattern)", argument: pattern, seed: 0, classNames: classNames, subjectKey: nil))
  }

  init(_ request: SourceRequest, http: HTTPLimits = HTTPLimits()) throws {
    specification = HTTPAddress.shown(request.specification)
    if let key = request.subjectKey { throw OnePassError.noSubjects(in: specification, for: key) }
    let pattern = try ShardPattern(
      request.requiredArgument("hf:DIR/train-{00000..00009}.parquet or hf:https://…"))
    var names: [String]?
    var report = SourceReport()
    files = try pattern.shards.map { path in
      let (size, read) = try Self.reading(path, http)
      let shown = HTTPAddress.shown(path)
      let footer = try ParquetFile(shown, size: size) { try Self.bytes($0, of: shown, by: read) }
      let features = Self.features(of: footer)
      let images = footer.columns(features.images + ["image", "img", "jpg", "png"], types: [6])
      guard let image = images.first else {
        throw OnePassError.unreadableParquet(shown, .noImageColumn)
      }
      let labels = footer.columns(features.labels + ["label", "labels", "fine_label", "cls"], types: [1, 2])
      guard let label = labels.first else {
        throw OnePassError.unreadableParquet(shown, .noLabelColumn)
      }
      report.choose("the image column", among: images)
      report.choose("the label column", among: labels)
      names = names ?? features.classes[label.path[0]]
      return Part(footer: footer, image: image, label: label, read: read)
    }
    self.report = report
    classNames = try request.agreedClassNames(with: names)
  }

  /// The number of examples, which is always known.
  public var knownCount: Int? { files.reduce(0) { $0 + $1.footer.rows } }

  /// The example in the next row; `nil` at the end of the last file.
  /// - Throws: `OnePassError`: `badData` if a file is damaged or a row has no label, `io` if reading fails.
  public func next() throws -> Example? {
    if let failure { throw failure }
    do {
      return try next { .take(try example(image: $0, label: $1)) }
    } catch let error as OnePassError {
      failure = error
      throw error
    }
  }

  /// Calls `judge` with each further row, until it takes one.
  /// - Parameter judge: Decides about a row. A row that is left out would need a place in the count of the stream.
  private func next<Taken>(
    _ judge: (_ image: ParquetColumn.Value, _ label: ParquetColumn.Value) throws -> Verdict<Taken>
  ) throws -> Taken? {
    while let (image, label) = try nextRow() {
      if let taken = report.take(try judge(image, label), named: "row \(position)") {
        position += 1
        return taken
      }
    }
    return nil
  }

  /// - Throws: `OnePassError` (`badData`) if the image is too large or there is no label.
  private func example(image: ParquetColumn.Value, label: ParquetColumn.Value) throws -> Example {
    // A missing image is delivered empty: the decoder reports it as broken, and it is counted.
    var bytes: [UInt8] = []
    if case .bytes(let file) = image { bytes = file }
    guard bytes.count <= largestImageFile else {
      throw OnePassError.imageInRowIsTooLarge(
        position, in: specification, bytes: bytes.count, limit: largestImageFile)
    }
    guard case .integer(let number) = label else {
      throw OnePassError.rowWithoutLabel(position, in: specification)
    }
    return Example(id: position, label: number, image: EncodedImage(bytes: bytes))
  }

  /// Continues at a position, skipping whole files and row groups and then single rows.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter; errors of reading.
  public func restore(position target: Int) throws {
    precondition(position == 0 && open == nil, "A source must be restored before anything is read from it.")
    try checkRestore(to: target, within: knownCount ?? 0, of: specification)
    while file < files.count {
      let rows = files[file].footer.groupRows
      guard group < rows.count else {
        (file, group) = (file + 1, 0)
        continue
      }
      guard position + rows[group] <= target else { break }
      position += rows[group]
      group += 1
    }
    while position < target, try nextRow() != nil { position += 1 }
  }

  private func nextRow() throws -> (image: ParquetColumn.Value, label: ParquetColumn.Value)? {
    while true {
      if let open {
        if let image = try open.images.next(), let label = try open.labels.next() { return (image, label) }
        self.open = nil
      }
      guard file < files.count else { return nil }
      let part = files[file]
      guard group < part.footer.groupRows.count else {
        (file, group) = (file + 1, 0)
        continue
      }
      let columns = try [part.image, part.label].map { column in
        let chunk = try part.footer.chunk(of: column, group: group)
        return ParquetColumn(chunk, of: part.footer.name, input: try part.read(chunk.range))
      }
      open = (columns[0], columns[1])
      group += 1
    }
  }

  // MARK: Files

  /// The size of a file, and a function that reads a part of it.
  private static func reading(_ path: String, _ http: HTTPLimits) throws -> (
    size: Int, read: (Range<Int>) throws -> any ByteInput
  ) {
    guard HTTPAddress.isMeant(by: path) else {
      try checkIsFile(path, expected: .parquet)
      let file = try OpenFile(reading: path)
      return (try file.size(), { FileInput(file, range: $0) })
    }
    let address = try HTTPAddress(path)
    let start = HTTPInput(address, range: 0..<4, limits: http)
    _ = try bytes(0..<4, of: "\(address)") { _ in start }
    guard let size = start.wholeSize else {
      throw OnePassError.remoteFileOfUnknownSize("\(address)")
    }
    return (size, { HTTPInput(address, range: $0, like: start, limits: http) })
  }

  private static func bytes(
    _ range: Range<Int>, of name: String, by read: (Range<Int>) throws -> any ByteInput
  ) throws -> [UInt8] {
    let input = try read(range)
    do throws(any Error) {
      return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
        let target = UnsafeMutableRawBufferPointer(buffer)
        while filled < range.count {
          let got = try input.read(
            into: UnsafeMutableRawBufferPointer(rebasing: target[filled..<range.count]))
          guard got > 0 else { throw OnePassError.unreadableParquet(name, .shrank) }
          filled += got
        }
      }
    } catch let failure as ReadFailure {
      throw failure.error(in: name, at: .byte(range.lowerBound))
    }
  }

  /// The columns of images and labels and the class names that the `datasets` library recorded.
  private static func features(of footer: ParquetFile) -> (
    images: [String], labels: [String], classes: [String: [String]]
  ) {
    let note = footer.notes["huggingface"].flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) }
    let info = (note as? [String: Any])?["info"] as? [String: Any]
    let features = (info?["features"] as? [String: Any])?.compactMapValues { $0 as? [String: Any] } ?? [:]
    func columns(of type: String) -> [String] {
      features.filter { $0.value["_type"] as? String == type }.keys.sorted()
    }
    let classes = features.compactMapValues { $0["names"] as? [String] }.filter { !$0.value.isEmpty }
    let labels = columns(of: "ClassLabel")
    // Among several label columns, common names come before alphabetical order.
    let usual = ["label", "labels", "fine_label"].filter(labels.contains)
    return (columns(of: "Image"), usual + labels, classes)
  }
}

extension ParquetFile {
  /// The existing columns of these names and types, directly or as `bytes` of a structure, each once.
  fileprivate func columns(_ names: [String], types: Set<Int>) -> [Column] {
    var found: [Column] = []
    for name in names where !found.contains(where: { $0.path[0] == name }) {
      let paths = [[name], [name, "bytes"]]
      if let column = paths.lazy.compactMap({ path in
        columns.first { $0.path == path && types.contains($0.type) }
      }).first {
        found.append(column)
      }
    }
    return found
  }
}

extension SourceReport {
  /// Records which of several columns is used: the first.
  fileprivate mutating func choose(_ what: String, among columns: [ParquetFile.Column]) {
    guard let taken = columns.first, columns.count > 1 else { return }
    choose(what, taken: taken.path[0], others: columns.dropFirst().map { $0.path[0] })
  }
}

/// `hf:PATTERN`.
func openParquet(_ request: SourceRequest) throws -> any ExampleSource { try ParquetSource(request) }
