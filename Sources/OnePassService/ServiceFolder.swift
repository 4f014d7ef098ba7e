import Foundation
import OnePass
import OnePassCore
import Synchronization

/// Keeps other processes from using the folder of a service.
final class FolderLock: Sendable {
  private let descriptor: Int32

  /// Creates the folder, if it does not exist, and locks it.
  /// - Throws: `OnePassError`: `usage` if another service uses it, `io` if it cannot be written.
  init(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch { throw OnePassError.unwritableFile(folder, cause: error) }
    descriptor = open("\(folder)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw OnePassError.journal("\(folder)/.lock", errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw OnePassError(
        .usage, "\(folder): another service uses this folder; stop it, or set another folder.")
    }
  }

  /// Lets other processes use the folder.
  func unlock() { flock(descriptor, LOCK_UN) }

  deinit { close(descriptor) }
}

/// How often a service was started on a folder.
enum StartCount {
  static func next(in folder: String) throws -> Int {
    let path = "\(folder)/starts"
    let earlier =
      FileManager.default.contents(atPath: path).flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
    try DurableFile.write(Data("\(earlier + 1)".utf8), to: path)
    return earlier + 1
  }
}

/// The size of the files of a run, looked up every few seconds.
final class DiskUse: Sendable {
  struct Amount {
    var (ledger, checkpoints) = (0, 0)
  }

  private let last = Mutex<(time: ContinuousClock.Instant, amount: Amount)?>(nil)

  func use(of folder: String) -> Amount {
    last.withLock { last in
      if let last, .now - last.time < .seconds(5) { return last.amount }
      let amount = Self.look(in: "\(folder)/run")
      last = (.now, amount)
      return amount
    }
  }

  private static func look(in folder: String) -> Amount {
    var amount = Amount()
    let files = FileManager.default.enumerator(
      at: URL(fileURLWithPath: folder), includingPropertiesForKeys: [.totalFileAllocatedSizeKey])
    while let file = files?.nextObject() as? URL {
      let bytes = (try? file.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
      if file.lastPathComponent.hasPrefix("ledger") || file.lastPathComponent.hasPrefix("subjects") {
        amount.ledger += bytes
      } else {
        amount.checkpoints += bytes
      }
    }
    return amount
  }
}
