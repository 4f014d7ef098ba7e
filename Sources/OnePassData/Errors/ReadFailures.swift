import Foundation
import OnePassCore

/// How far the reading of a file had come when it failed.
enum ReadProgress {
  /// Examples delivered from the file.
  case examples(Int)
  /// Images found in an archive.
  case images(Int)
  case byte(Int)
  /// The path of a Parquet column.
  case column([String])
  /// While an entry of an archive was decompressed.
  case decompressing
  /// Nothing of the file was needed before.
  case start

  /// With a leading space, ready to follow a verb.
  fileprivate var text: String {
    switch self {
    case .examples(let count): " after \(count) \(count == 1 ? "example" : "examples")"
    case .images(let count): " after \(count) \(count == 1 ? "image" : "images")"
    case .byte(let offset): " at byte \(offset)"
    case .column(let path): " in column \(path.joined(separator: "."))"
    case .decompressing: " when it was decompressed"
    case .start: ""
    }
  }
}

extension ReadFailure {
  /// The error about the file of this name.
  func error(in name: String, at progress: ReadProgress) -> OnePassError {
    switch kind {
    case .io:
      OnePassError(.io, "\(name): cannot read\(progress.text): \(detail); \(remedy).")
    case .unsupported:
      OnePassError(.badData, "\(name): \(detail); \(remedy).")
    case .tooLarge:
      OnePassError(.badData, "\(name): an entry is too large\(progress.text) (\(detail)); \(remedy).")
    case .corrupt:
      OnePassError(
        .badData,
        "\(name): truncated or corrupt\(progress.text) (\(detail)); download it again or re-create it.")
    }
  }

  private static func corrupt(_ detail: String) -> ReadFailure {
    ReadFailure(kind: .corrupt, detail: detail, remedy: "")
  }

  /// - Parameter compression: Its name.
  static func unsupportedCompression(_ compression: String) -> ReadFailure {
    ReadFailure(
      kind: .unsupported, detail: "\(compression) compression is not supported by this machine's libarchive",
      remedy: "decompress the file, or compress it with gzip or zstd")
  }

  // MARK: Any file

  static func system(errno number: Int32 = errno) -> ReadFailure {
    ReadFailure(
      kind: .io, detail: String(cString: strerror(number)),
      remedy: SystemProblem.remedy(number, folder: "its folder") ?? "check the disk")
  }

  static var outOfMemory: ReadFailure {
    ReadFailure(kind: .io, detail: "out of memory", remedy: "free some memory and try again")
  }

  /// - Parameter message: libarchive's.
  static func decompression(_ message: String) -> ReadFailure { corrupt(message) }

  static func entryIsTooLarge(bytes: Int, limit: Int) -> ReadFailure {
    ReadFailure(
      kind: .tooLarge, detail: "\(bytes) bytes, at most \(limit) are allowed",
      remedy: limit == largestImageFile && limit < mostImageFileBytes
        ? "raise --decode-memory or remove it" : "remove it")
  }

  static func entrySizeDiffers(expected: Int) -> ReadFailure {
    corrupt("its size is not the \(expected) bytes that the central directory states")
  }

  // MARK: Tar

  static var truncatedEntry: ReadFailure { corrupt("truncated inside an entry") }
  static var noEndOfArchive: ReadFailure { corrupt("no end-of-archive mark") }
  static var partialBlock: ReadFailure { corrupt("truncated inside a 512-byte block") }
  static var zerosBetweenEntries: ReadFailure { corrupt("zeros where a header is expected") }
  static var damagedHeader: ReadFailure { corrupt("damaged header") }
  static var truncatedHeader: ReadFailure { corrupt("truncated inside a header") }
  static var headerWithoutFile: ReadFailure { corrupt("an extended header without a file") }
  static var damagedExtendedHeader: ReadFailure { corrupt("damaged extended header") }
  static var sparseFile: ReadFailure { corrupt("sparse files are not supported") }
  static func impossibleHeaderSize(_ bytes: Int) -> ReadFailure { corrupt("a header of \(bytes) bytes") }
  static func impossibleEntrySize(_ bytes: Int) -> ReadFailure { corrupt("an entry of \(bytes) bytes") }
}
