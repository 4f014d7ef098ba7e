import Foundation
import OnePassCore

/// A system call on a file, as error messages name it.
enum FileOperation: String {
  case create
  case createTemporaryFile = "create a temporary file"
  case inspect
  case list
  case open
  case read
  case remove
  case rename
  case write

  fileprivate var remedy: String {
    switch self {
    case .open: "check the path"
    case .createTemporaryFile: "name another folder in TMPDIR"
    case .write: "check the free space"
    case .create, .inspect, .list, .read, .remove, .rename: "check the disk and the permissions"
    }
  }
}

/// The kinds of file in whose place a folder was named.
enum ExpectedFile {
  case list, ilsvrc, zip, shards, parquet

  fileprivate func remedy(for path: String) -> String {
    switch self {
    case .list: "pass the text file that lists the images, or use folder:\(path)"
    case .ilsvrc: "use folder:\(path) if the archive is unpacked there"
    case .zip: "use folder:\(path) if its subfolders are the classes"
    case .shards: "pass the shards in it, for example wds:\(path)/train-{0000..0009}.tar"
    case .parquet: "pass the .parquet files in it, for example hf:\(path)/train-{00000..00009}.parquet"
    }
  }
}

extension OnePassError {
  static func isNotRegularFile(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path): is a pipe or a device, not a file; remove it from the data.")
  }

  /// A failed system call.
  /// - Parameter number: The call's `errno`. The default reads it, so nothing else may run in between.
  static func failed(
    _ operation: FileOperation, _ path: String, errno number: Int32 = errno
  ) -> OnePassError {
    let reason = String(cString: strerror(number))
    let folder = operation == .createTemporaryFile ? path : SystemProblem.folder(of: path)
    let remedy = SystemProblem.remedy(number, folder: folder) ?? operation.remedy
    return OnePassError(.io, "\(path): cannot \(operation.rawValue): \(reason); \(remedy).")
  }

  static func cannotWrite(_ path: String, reason: String) -> OnePassError {
    OnePassError(.io, "\(path): cannot write: \(reason); \(FileOperation.write.remedy).")
  }

  static func fileShrank(_ path: String) -> OnePassError {
    OnePassError(
      .badData, "\(path): the file became shorter while it was read; do not change data that is in use.")
  }

  static func noSuchFile(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path): no such file; check the path.")
  }

  static func noSuchFolder(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path): no such folder; check the path.")
  }

  static func isFolder(_ path: String, expected file: ExpectedFile) -> OnePassError {
    OnePassError(.usage, "\(path): is a folder, not a file; \(file.remedy(for: path)).")
  }

  static func isNotClassRoot(_ path: String) -> OnePassError {
    OnePassError(.badData, "\(path): not a folder; pass the folder that contains the class folders.")
  }

  static func lineIsNotUTF8(_ line: Int, of path: String) -> OnePassError {
    OnePassError(.badData, "\(path):\(line): not UTF-8 text; use a UTF-8 text file.")
  }

  static func lineIsTooLong(_ line: Int, of path: String, limit: Int) -> OnePassError {
    OnePassError(
      .badData, "\(path):\(line): line longer than \(limit) bytes; use a text file with shorter lines.")
  }

  /// - Parameter line: The number of the line, from 1.
  static func pathContainsZero(line: Int, of list: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(list):\(line): a path cannot contain a zero byte; pass one path per line, or --null for paths that end with one."
    )
  }

  /// - Parameter subject: The file, or the source and the row, that holds the image.
  static func imageFileIsTooLarge(_ subject: String, bytes: Int, limit: Int) -> OnePassError {
    // Below the fixed limit, the limit is that of the budget.
    let remedy =
      limit < mostImageFileBytes ? "raise --decode-memory, or shrink or remove it" : "shrink or remove it"
    return OnePassError(
      .badData,
      "\(subject): \(ByteCount(bytes)) exceeds the maximum of \(ByteCount(limit)) for an image; \(remedy).")
  }

  /// - Parameters:
  ///   - path: The file or address.
  ///   - part: What is read at once, as `its directory`.
  static func exceedsDecodeMemory(_ path: String, _ part: String, bytes: Int, limit: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(path): \(part) takes \(ByteCount(bytes)), but --decode-memory leaves \(ByteCount(limit)) for a source; "
        + "raise --decode-memory.")
  }

  /// The names of one table or archive no longer fit into 32-bit offsets.
  static func fileNamesAreTooLong(in path: String) -> OnePassError {
    OnePassError(.badData, "\(path): file names exceed 4 GiB in total; pack the images into shards first.")
  }
}
