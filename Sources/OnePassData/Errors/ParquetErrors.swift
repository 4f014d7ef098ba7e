import OnePassCore

/// Why a Parquet file cannot be read.
enum ParquetDefect {
  case noFooter
  case encrypted
  case encryptedColumn([String])
  case damagedFooter
  case damagedSchema
  case damagedRowGroup(Int)
  case damagedPage
  case largePage(Int, limit: Int, column: [String])
  case shrank
  case changed
  case otherCount(Int, expected: Int, rowGroup: Int)
  case missingColumn([String], rowGroup: Int)
  case noImageColumn([String])
  case noLabelColumn([String])
  case unsupportedEncoding(Int, column: [String])
  case unsupportedCompression(Int, column: [String])

  fileprivate var text: String {
    switch self {
    case .noFooter: "not a Parquet file, or truncated"
    case .encrypted: "encrypted files are not supported"
    case .encryptedColumn(let path): "column \(Self.name(path)) is encrypted, which is not supported"
    case .damagedFooter: "damaged footer"
    case .damagedSchema: "damaged schema"
    case .damagedRowGroup(let index): "damaged metadata of row group \(index)"
    case .damagedPage: "damaged page"
    case .largePage(let bytes, let limit, let path):
      "column \(Self.name(path)): a page takes \(ByteCount(bytes)), but --decode-memory leaves \(ByteCount(limit)) for a source"
    case .shrank: "the file became shorter while it was read"
    case .changed: "the file was changed after its footer was read"
    case .otherCount(let count, let expected, let index):
      "\(count) rows of row group \(index) have an image and a label, but \(expected) were stated"
    case .missingColumn(let path, let index): "no column \(Self.name(path)) in row group \(index)"
    case .noImageColumn(let columns): "no column of images, such as image (columns: \(Self.list(columns)))"
    case .noLabelColumn(let columns): "no column of labels, such as label (columns: \(Self.list(columns)))"
    case .unsupportedEncoding(let code, let path):
      "column \(Self.name(path)): encoding \(Self.encoding(code)) is not supported"
    case .unsupportedCompression(let code, let path):
      "column \(Self.name(path)): compression \(PageCompression.name(of: code)) is not supported"
    }
  }

  fileprivate var remedy: String {
    switch self {
    case .noFooter, .damagedFooter, .damagedSchema, .damagedRowGroup, .damagedPage, .missingColumn,
      .otherCount:
      "download it again or re-create it"
    case .largePage: "raise --decode-memory, or write the column with smaller pages"
    case .encrypted, .encryptedColumn: "re-create it without encryption"
    case .shrank, .changed: "do not change data that is in use"
    case .noImageColumn: "name one with --image-column"
    case .noLabelColumn: "name one with --label-column"
    case .unsupportedEncoding: "write the column with plain or dictionary encoding"
    case .unsupportedCompression: "write the column with snappy, gzip, zstd, LZ4, Brotli or no compression"
    }
  }

  private static func name(_ path: [String]) -> String { path.joined(separator: ".") }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.joined(separator: ", ")
  }

  private static func encoding(_ code: Int) -> String {
    let names = [
      "PLAIN", "GROUP_VAR_INT", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED",
      "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
    ]
    return names.indices.contains(code) ? names[code] : "\(code)"
  }
}

extension OnePassError {
  static func unreadableParquet(_ name: String, _ defect: ParquetDefect) -> OnePassError {
    OnePassError(.badData, "\(name): \(defect.text); \(defect.remedy).")
  }

  // MARK: Columns

  static func ambiguousParquetColumns(
    _ names: [String], as use: ParquetColumnUse, in file: String
  ) -> OnePassError {
    OnePassError(
      .badData,
      "\(file): its columns \(names.joined(separator: ", ")) could each be the \(use.rawValue) column; "
        + "choose one with \(use.option).")
  }

  static func noSuchParquetColumn(
    _ name: String, as use: ParquetColumnUse, in file: String, columns: [String]
  ) -> OnePassError {
    OnePassError(
      .usage,
      "\(use.option) \(name): \(file) has no such column; use one of \(columns.joined(separator: ", ")).")
  }

  /// - Parameter type: The stored type of the column.
  static func unusableParquetColumn(
    _ name: String, as use: ParquetColumnUse, in file: String, type: String
  ) -> OnePassError {
    let possible =
      switch use {
      case .image: "images are bytes, paths, or a structure of bytes and path"
      case .label: "labels are integers, text or Boolean values"
      }
    return OnePassError(
      .usage,
      "\(use.option) \(name): the column has type \(type) in \(file), and \(possible); use another column.")
  }

  static func columnNotApplicable(
    _ name: String, as use: ParquetColumnUse, to specification: String
  ) -> OnePassError {
    OnePassError(
      .usage,
      "\(use.option) \(name): only Parquet files (hf:) have columns to choose from; "
        + "omit the option for \(HTTPAddress.shown(specification)).")
  }

  // MARK: Labels

  /// - Parameter first: The file with the other classes; `nil` if the caller has them.
  static func unknownNotedClass(
    _ name: String, in file: String, known names: [String], of first: String?
  ) -> OnePassError {
    let kinds = first.map { "classes of \($0)" } ?? "expected classes"
    let remedy =
      first == nil ? "use data with the same classes" : "pass --classes FILE with the names of all classes"
    return OnePassError(
      .badData,
      "\(file): class \"\(name)\" is not one of the \(names.count) \(kinds)\(firstOf(names)); \(remedy).")
  }

  static func unknownLabelInRow(_ label: String, at row: String, known names: [String]) -> OnePassError {
    let kinds = names.isEmpty ? "a number" : "one of the \(names.count) expected classes\(firstOf(names))"
    return OnePassError(
      .badData, "\(row): label \"\(label.prefix(40))\" is not \(kinds); correct or remove the row.")
  }

  static func labelInRowIsOutOfRange(_ label: Int, at row: String, classCount: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(row): label \(label) is out of range (0 to \(classCount - 1)); correct or remove the row.")
  }

  // MARK: Files at addresses

  static func lengthIsUnknown(ofRemoteParquet name: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(name): its footer does not state how many rows have an image; pass --limit with the number of examples."
    )
  }

  static func remoteFileOfUnknownSize(_ address: String) -> OnePassError {
    OnePassError(
      .io, "\(address): the server does not state the file's size; download the file and pass its path.")
  }
}
