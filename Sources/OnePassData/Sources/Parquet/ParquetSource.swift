import Foundation
import OnePassCore

/// Parquet files as Hugging Face's data sets have them: an image, as bytes or as a structure of bytes and path, and a label.
///
/// The files are taken one after the other, row group by row group, and of each only the columns of image and label are read,
/// a page at a time. The length comes from the footers, the classes from what the `datasets` library notes there. Which column
/// is the image and which the label is told by that note too, or else by the names `image`, `img`, `jpg`, `png` and `label`,
/// `labels`, `fine_label`, `cls`.
///
/// Memory: a page of images, packed and unpacked, and the labels of a row group. A writer that does not bound its pages makes
/// one of each row group.
public final class ParquetSource: ExampleSource {
  public let specification: String
  public let classNames: [String]?
  public var knownClassCount: Int? { classNames?.count }
  public private(set) var position = 0

  private let files: [Part]
  private var file = 0
  private var group = 0
  /// The row group that is being read.
  private var open: (images: ParquetColumn, labels: ParquetColumn)?
  private var failure: OnePassError?

  /// A file and where to read it.
  private struct Part {
    let footer: ParquetFile
    let image: ParquetFile.Column
    let label: ParquetFile.Column
    let read: (Range<Int>) throws -> any ByteInput
  }

  /// Reads the footers of all files.
  /// - Parameters:
  ///   - pattern: Files or addresses, as of ``WebDatasetSource``.
  ///   - classNames: If given, the names that the files have to have, or have not.
  /// - Throws: `OnePassError`: `usage` for a malformed pattern, `io` for a file that cannot be read, `badData` for one that is
  ///   no Parquet file or has no such columns.
  public convenience init(_ pattern: String, classNames: [String]? = nil) throws {
    try self.init(
      SourceRequest(
        specification: "hf:\(pattern)", argument: pattern, seed: 0, classNames: classNames, subjectKey: nil))
  }

  init(_ request: SourceRequest, http: HTTPLimits = HTTPLimits()) throws {
    specification = HTTPAddress.shown(request.specification)
    guard request.subjectKey == nil else {
      throw OnePassError(
        .usage, "The rows of \(specification) say nothing of a subject: leave out --subject-key.")
    }
    let pattern = try ShardPattern(
      request.requiredArgument("hf:DIR/train-{00000..00009}.parquet or hf:https://…"))
    var names: [String]?
    files = try pattern.shards.map { path in
      let (size, read) = try Self.reading(path, http)
      let shown = HTTPAddress.shown(path)
      let footer = try ParquetFile(shown, size: size) { try Self.bytes($0, of: shown, by: read) }
      let features = Self.features(of: footer)
      guard let image = footer.column(features.images + ["image", "img", "jpg", "png"], types: [6]) else {
        throw ParquetFile.damage(shown, "it has no column of images, such as image")
      }
      guard
        let label = footer.column(features.labels + ["label", "labels", "fine_label", "cls"], types: [1, 2])
      else {
        throw ParquetFile.damage(shown, "it has no column of whole numbers for labels, such as label")
      }
      names = names ?? features.classes[label.path[0]]
      return Part(footer: footer, image: image, label: label, read: read)
    }
    classNames = try request.agreedClassNames(with: names)
  }

  public var knownCount: Int? { files.reduce(0) { $0 + $1.footer.rows } }

  public func next() throws -> Example? {
    if let failure { throw failure }
    do {
      guard let (image, label) = try nextRow() else { return nil }
      defer { position += 1 }
      // An image that is missing is one that is broken: the decoder says so, and it is counted.
      var bytes: [UInt8] = []
      if case .bytes(let file) = image { bytes = file }
      guard bytes.count <= largestImageFile else {
        throw tooLarge("Row \(position) of \(specification)", bytes.count)
      }
      guard case .integer(let number) = label else {
        throw OnePassError(.badData, "Row \(position) of \(specification) has no label. Leave it out.")
      }
      return Example(id: position, label: number, image: EncodedImage(bytes: bytes))
    } catch let error as OnePassError {
      failure = error
      throw error
    }
  }

  /// Passes over whole files and row groups, then over the rows of one.
  public func restore(position target: Int) throws {
    precondition(position == 0 && open == nil, "A source is restored before anything is taken from it.")
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

  /// The size of a file, and how a part of it is read.
  private static func reading(_ path: String, _ http: HTTPLimits) throws -> (
    size: Int, read: (Range<Int>) throws -> any ByteInput
  ) {
    guard HTTPAddress.isMeant(by: path) else {
      try checkArchive(
        path, remedy: "Name the .parquet files in it, such as hf:\(path)/train-{00000..00009}.parquet.")
      let file = try OpenFile(reading: path)
      return (try file.size(), { FileInput(file, range: $0) })
    }
    let address = try HTTPAddress(path)
    let start = HTTPInput(address, range: 0..<4, limits: http)
    _ = try bytes(0..<4, of: address.shown) { _ in start }
    guard let size = start.wholeSize else {
      throw OnePassError(
        .io, "The server of \(address.shown) does not say how large the file is. Fetch it, and name it here.")
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
          guard got > 0 else { throw ParquetFile.damage(name, "it became shorter") }
          filled += got
        }
      }
    } catch let failure as ReadFailure {
      throw failure.error(of: "The Parquet file", name, at: "at byte \(range.lowerBound)")
    }
  }

  /// What the `datasets` library notes of the columns.
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
    // Of several labels the usual name goes before the first of the alphabet.
    let usual = ["label", "labels", "fine_label"].filter(labels.contains)
    return (columns(of: "Image"), usual + labels, classes)
  }
}

extension ParquetFile {
  /// The first of these columns that there is: of one of the types, or a structure with `bytes` of one.
  fileprivate func column(_ names: [String], types: Set<Int>) -> Column? {
    for name in names {
      for path in [[name], [name, "bytes"]] {
        if let column = columns.first(where: { $0.path == path && types.contains($0.type) }) { return column }
      }
    }
    return nil
  }
}

/// `hf:PATTERN`.
func openParquet(_ request: SourceRequest) throws -> any ExampleSource { try ParquetSource(request) }
