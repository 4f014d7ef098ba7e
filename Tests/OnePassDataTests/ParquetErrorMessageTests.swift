import OnePassCore
import Testing

@testable import OnePassData

@Suite("Error messages about Parquet files") struct ParquetErrorMessageTests {
  typealias Case = (error: OnePassError, code: OnePassError.Code, text: String)

  static let files: [Case] = [
    (
      .unreadableParquet("t.parquet", .noFooter), .badData,
      "t.parquet: not a Parquet file, or truncated; download it again or re-create it."
    ),
    (
      .unreadableParquet("t.parquet", .encrypted), .badData,
      "t.parquet: encrypted files are not supported; re-create it without encryption."
    ),
    (
      .unreadableParquet("t.parquet", .encryptedColumn(["image", "bytes"])), .badData,
      "t.parquet: column image.bytes is encrypted, which is not supported; re-create it without encryption."
    ),
    (
      .unreadableParquet("t.parquet", .missingColumn(["image", "bytes"], rowGroup: 2)), .badData,
      "t.parquet: no column image.bytes in row group 2; download it again or re-create it."
    ),
    (
      .unreadableParquet("t.parquet", .unsupportedEncoding(4, column: ["label"])), .badData,
      "t.parquet: column label: encoding BIT_PACKED is not supported; "
        + "write the column with plain or dictionary encoding."
    ),
    (
      .unreadableParquet("t.parquet", .unsupportedEncoding(77, column: ["label"])), .badData,
      "t.parquet: column label: encoding 77 is not supported; write the column with plain or dictionary encoding."
    ),
    (
      .unreadableParquet("t.parquet", .unsupportedCompression(3, column: ["image", "bytes"])), .badData,
      "t.parquet: column image.bytes: compression LZO is not supported; "
        + "write the column with snappy, gzip, zstd, LZ4, Brotli or no compression."
    ),
    (
      .unreadableParquet("t.parquet", .largePage(30_000_000, limit: 1 << 24, column: ["image", "bytes"])),
      .badData,
      "t.parquet: column image.bytes: a page takes 30.0 MB, but --decode-memory leaves 16.8 MB for a source; "
        + "raise --decode-memory, or write the column with smaller pages."
    ),
    (
      .unreadableParquet("t.parquet", .shrank), .badData,
      "t.parquet: the file became shorter while it was read; do not change data that is in use."
    ),
    (
      .unreadableParquet("t.parquet", .changed), .badData,
      "t.parquet: the file was changed after its footer was read; do not change data that is in use."
    ),
    (
      .unreadableParquet("t.parquet", .otherCount(5, expected: 6, rowGroup: 2)), .badData,
      "t.parquet: 5 rows of row group 2 have an image and a label, but 6 were stated; "
        + "download it again or re-create it."
    ),
    (
      .lengthIsUnknown(ofRemoteParquet: "https://h/t.parquet"), .usage,
      "https://h/t.parquet: its footer does not state how many rows have an image; "
        + "pass --limit with the number of examples."
    ),
    (
      .remoteFileOfUnknownSize("https://h/t.parquet"), .io,
      "https://h/t.parquet: the server does not state the file's size; download the file and pass its path."
    ),
  ]

  static let columns: [Case] = [
    (
      .unreadableParquet("t.parquet", .noImageColumn(["url", "label"])), .badData,
      "t.parquet: no column of images, such as image (columns: url, label); name one with --image-column."
    ),
    (
      .unreadableParquet("t.parquet", .noLabelColumn([])), .badData,
      "t.parquet: no column of labels, such as label (columns: none); name one with --label-column."
    ),
    (
      .ambiguousParquetColumns(["left", "right"], as: .image, in: "t.parquet"), .badData,
      "t.parquet: its columns left, right could each be the image column; choose one with --image-column."
    ),
    (
      .noSuchParquetColumn("photo", as: .image, in: "t.parquet", columns: ["image", "id"]), .usage,
      "--image-column photo: t.parquet has no such column; use one of image, id."
    ),
    (
      .unusableParquetColumn("id", as: .image, in: "t.parquet", type: "INT64"), .usage,
      "--image-column id: the column has type INT64 in t.parquet, "
        + "and images are bytes, paths, or a structure of bytes and path; use another column."
    ),
    (
      .unusableParquetColumn("tags", as: .label, in: "t.parquet", type: "a list"), .usage,
      "--label-column tags: the column has type a list in t.parquet, "
        + "and labels are integers, text or Boolean values; use another column."
    ),
    (
      .columnNotApplicable("y", as: .label, to: "wds:https://u:p@h/x?key=y"), .usage,
      "--label-column y: only Parquet files (hf:) have columns to choose from; omit the option for wds:https://h/x?…."
    ),
  ]

  static let labels: [Case] = [
    (
      .unknownNotedClass("eel", in: "b.parquet", known: ["ant", "bee"], of: "a.parquet"), .badData,
      "b.parquet: class \"eel\" is not one of the 2 classes of a.parquet (ant, …); "
        + "pass --classes FILE with the names of all classes."
    ),
    (
      .unknownNotedClass("eel", in: "b.parquet", known: ["ant", "bee"], of: nil), .badData,
      "b.parquet: class \"eel\" is not one of the 2 expected classes (ant, …); use data with the same classes."
    ),
    (
      .unknownLabelInRow("eel", at: "t.parquet, row 5", known: ["ant", "bee"]), .badData,
      "t.parquet, row 5: label \"eel\" is not one of the 2 expected classes (ant, …); correct or remove the row."
    ),
    (
      .unknownLabelInRow(String(repeating: "e", count: 50), at: "t.parquet, row 5", known: []), .badData,
      "t.parquet, row 5: label \"\(String(repeating: "e", count: 40))\" is not a number; correct or remove the row."
    ),
    (
      .labelInRowIsOutOfRange(-1, at: "t.parquet, row 5", classCount: 3), .badData,
      "t.parquet, row 5: label -1 is out of range (0 to 2); correct or remove the row."
    ),
    (
      .imageFileIsTooLarge("t.parquet, row 5", bytes: 300_000_000, limit: 1 << 28), .badData,
      "t.parquet, row 5: 300 MB exceeds the maximum of 268 MB for an image; shrink or remove it."
    ),
  ]

  @Test("An error names the file, the column or the row, and the remedy", arguments: files + columns + labels)
  func message(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }
}
