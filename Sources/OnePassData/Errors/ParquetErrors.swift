import OnePassCore

/// Why a Parquet file cannot be read.
enum ParquetDefect {
  case noFooter
  case encrypted
  case damagedFooter
  case damagedSchema
  case damagedRowGroup(Int)
  case damagedPage
  case shrank
  case missingColumn([String], rowGroup: Int)
  case noImageColumn
  case noLabelColumn
  case unsupportedEncoding(Int)
  case unsupportedCompression(Int)

  fileprivate var text: String {
    switch self {
    case .noFooter: "not a Parquet file, or truncated"
    case .encrypted: "encrypted files are not supported"
    case .damagedFooter: "damaged footer"
    case .damagedSchema: "damaged schema"
    case .damagedRowGroup(let index): "damaged metadata of row group \(index)"
    case .damagedPage: "damaged page"
    case .shrank: "the file became shorter while it was read"
    case .missingColumn(let path, let index): "no column \(path.joined(separator: ".")) in row group \(index)"
    case .noImageColumn: "no column of images, such as image"
    case .noLabelColumn: "no integer column of labels, such as label"
    case .unsupportedEncoding(let code): "encoding \(code) is not supported"
    case .unsupportedCompression(let code): "compression \(code) is not supported"
    }
  }

  fileprivate var remedy: String {
    switch self {
    case .noFooter, .damagedFooter, .damagedSchema, .damagedRowGroup, .damagedPage, .missingColumn:
      "download it again or re-create it"
    case .encrypted: "re-create it without encryption"
    case .shrank: "do not change data that is in use"
    case .noImageColumn, .noLabelColumn: "re-create it with such a column"
    case .unsupportedEncoding: "write the column with plain or dictionary encoding"
    case .unsupportedCompression: "write the column with snappy, gzip, zstd or no compression"
    }
  }
}

extension OnePassError {
  static func unreadableParquet(_ name: String, _ defect: ParquetDefect) -> OnePassError {
    OnePassError(.badData, "\(name): \(defect.text); \(defect.remedy).")
  }

  static func rowWithoutLabel(_ row: Int, in specification: String) -> OnePassError {
    OnePassError(.badData, "\(specification): row \(row) has no label; remove the row.")
  }

  static func imageInRowIsTooLarge(
    _ row: Int, in specification: String, bytes: Int, limit: Int
  ) -> OnePassError {
    imageFileIsTooLarge("\(specification), row \(row)", bytes: bytes, limit: limit)
  }

  static func remoteFileOfUnknownSize(_ address: String) -> OnePassError {
    OnePassError(
      .io, "\(address): the server does not state the file's size; download the file and pass its path.")
  }
}
