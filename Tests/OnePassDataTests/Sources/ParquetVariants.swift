import Foundation
import Testing

@testable import OnePassData

/// The fixtures of Tools/reference_parquet_variants.py, with the values that pyarrow reads from them.
enum ParquetVariants {
  static func path(_ name: String) throws -> String {
    try #require(Bundle.module.path(forResource: "Fixtures/parquet-variants/\(name)", ofType: "parquet"))
  }

  private nonisolated(unsafe) static let values = Result {
    let path = try #require(
      Bundle.module.path(forResource: "Fixtures/parquet-variants/expected", ofType: "json"))
    let json = try JSONSerialization.jsonObject(with: Data(contents(of: path)))
    return try #require(json as? [String: [String: [Any]]])
  }

  /// The columns of a file. Bytes are hexadecimal digits.
  static func columns(of name: String) throws -> [String: [Any]] {
    let all = try values.get()
    return try #require(all[name])
  }

  /// The image files of a file's column, which pyarrow reads as bytes or as structures with `bytes`.
  static func images(of name: String, _ column: String) throws -> [[UInt8]?] {
    try #require(columns(of: name)[column]).map { value in
      ((value as? [String: Any])?["bytes"] as? String ?? value as? String).flatMap(bytes(hex:))
    }
  }

  static func bytes(hex: String) -> [UInt8]? {
    let digits = Array(hex.utf8).map { $0 > 96 ? $0 - 87 : $0 - 48 }
    guard digits.count % 2 == 0, digits.allSatisfy({ $0 < 16 }) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}

/// The source of some of the fixtures, in this order.
func openFixtures(
  _ names: String..., classNames: [String]? = nil, image: String? = nil, label: String? = nil
) throws -> ParquetSource {
  let paths = try names.map(ParquetVariants.path)
  return try ParquetSource(
    paths.count == 1 ? paths[0] : "{\(paths.joined(separator: ","))}", classNames: classNames,
    imageColumn: image, labelColumn: label)
}
