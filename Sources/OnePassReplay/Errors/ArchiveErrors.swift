import OnePassCore

// The SQLite file that holds the images of a memory on disk, and its folder.
extension OnePassError {
  static func folderNotCreated(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path) cannot be created; check permissions and free disk space.", cause: cause)
  }

  // MARK: Failures of SQLite

  static func databaseNotOpened(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path) cannot be opened; free some memory.")
  }

  static func databaseVanished(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path) has vanished or was replaced; restore its folder, or mount it again.")
  }

  /// - Parameter reason: The message of SQLite or of the operating system.
  static func databaseInaccessible(_ path: String, reason: String) -> OnePassError {
    OnePassError(.io, "\(path) cannot be read or written (\(reason)); check permissions and the disk.")
  }

  static func databaseInUse(_ path: String) -> OnePassError {
    OnePassError(
      .usage, "\(path) is in use by another process; wait for it to end, or choose another folder.")
  }

  static func diskFull(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path) cannot grow, because the disk is full; free some space.")
  }

  static func databaseDamaged(_ path: String, reason: String) -> OnePassError {
    OnePassError(
      .badData, "\(path) is damaged (\(reason)); restore it from a backup, or start a new run.")
  }

  static func databaseReturnsNothing(_ path: String, query: String) -> OnePassError {
    OnePassError(.badData, "\(path) is damaged: `\(query)` returns nothing.")
  }

  static func databaseFailed(_ path: String, reason: String, code: Int32) -> OnePassError {
    OnePassError(.engine, "\(path): SQLite failed with code \(code) (\(reason)).")
  }

  /// The write-ahead log could not be written to the database.
  static func logNotEmptied(_ path: String) -> OnePassError {
    OnePassError(
      .io, "\(path): the write-ahead log cannot be emptied; check permissions and the disk.")
  }

  // MARK: Contents

  static func databaseOfOtherProgram(_ path: String) -> OnePassError {
    OnePassError(.badData, "\(path) is a database of another program; choose another folder.")
  }

  static func archiveOfOtherVersion(_ path: String, format: Int, supported: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(path) has format \(format), and this version reads format \(supported); "
        + "use the version of onepass that wrote it.")
  }

  static func imageMissing(_ path: String, example: Int) -> OnePassError {
    OnePassError(.badData, "\(path) is damaged: it has no image of example \(example).")
  }

  static func imageDamaged(_ path: String, example: Int) -> OnePassError {
    OnePassError(
      .badData,
      "\(path) is damaged: the image of example \(example) does not match its checksum; restore it from a backup, "
        + "or remove the example with `onepass memory forget --position \(example)`.")
  }

  // MARK: Encryption

  static func encryptionFailed(_ step: String) -> OnePassError {
    OnePassError(.engine, "OpenSSL cannot \(step); check its installation.")
  }

  static func keyFileMissing(_ path: String) -> OnePassError {
    OnePassError(
      .io,
      "The key file \(path) does not exist; restore it. Without it, the images of the memory cannot be read.")
  }

  static func keyFileInaccessible(_ path: String, reason: String) -> OnePassError {
    OnePassError(.io, "The key file \(path) cannot be read or written (\(reason)).")
  }

  static func keyFileInUse(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "The key file \(path) is in use by another process; wait for it to end, or pass another --memory-key.")
  }

  static func notKeyFile(_ path: String) -> OnePassError {
    OnePassError(.badData, "\(path) is not a key file of OnePass; pass another --memory-key.")
  }

  static func imagesOfOtherKey(_ path: String, keyFile: String) -> OnePassError {
    OnePassError(
      .usage,
      "The images in \(path) are encrypted with another key file than \(keyFile); pass that with --memory-key."
    )
  }

  static func imagesEncrypted(_ path: String) -> OnePassError {
    OnePassError(.usage, "The images in \(path) are encrypted; pass their key file with --memory-key.")
  }

  static func imagesNotEncrypted(_ path: String) -> OnePassError {
    OnePassError(
      .usage, "--memory-key is not possible, because the images in \(path) are not encrypted; omit it.")
  }

  /// - Parameter example: Its position; `nil` if it had none yet.
  static func keyDestroyed(_ path: String, example: Int?) -> OnePassError {
    let image = example.map { "the image of example \($0)" } ?? "an image that was not trained yet"
    return OnePassError(
      .badData, "The key in \(path) that encrypted \(image) was destroyed; the image cannot be read again.")
  }

  // MARK: The memory directory

  static func directoryOccupied(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path) already contains the memory of a run; continue with --resume, choose another folder, or remove it."
    )
  }

  /// The memory of a run to be resumed is missing.
  static func directoryWithoutMemory(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path) contains no memory, and the run has one on disk; restore it, or start a new run.")
  }

  /// The memory of a run to be inspected is missing.
  static func noMemoryToRead(in path: String) -> OnePassError {
    OnePassError(.io, "\(path) contains no memory; pass its folder with --memory-directory.")
  }

  static func directoryOfOtherRun(_ path: String) -> OnePassError {
    OnePassError(
      .usage, "\(path) belongs to another run; pass the folder of this run with --memory-directory.")
  }
}
