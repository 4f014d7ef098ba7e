import Foundation
import OnePassCore

/// The lock of a process that writes shards: on the unfinished file of their index, which it creates.
///
/// Unfinished files without a lock were left by a process that was killed, and are removed.
struct PackingLock {
  /// The unfinished index, empty.
  let file: OpenFile
  /// The number of unfinished files of another process that were removed.
  let removedCount: Int

  /// - Parameters:
  ///   - path: The unfinished file of the index.
  ///   - others: The unfinished files of the shards.
  /// - Throws: `OnePassError` (`io`) if another process holds the lock, or a file cannot be created or removed.
  init(on path: String, beside others: [String]) throws {
    var left = ([path] + others).filter { existence(of: $0).exists }
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw OnePassError.failed(.create, path) }
    file = OpenFile(adopting: descriptor, path: path)
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw OnePassError.outputIsBeingWritten(path) }
    // It may have been finished in between.
    guard existence(of: path).exists else { throw OnePassError.outputIsBeingWritten(path) }
    guard ftruncate(descriptor, 0) == 0 else { throw OnePassError.failed(.write, path) }
    removedCount = left.count
    left.removeAll { $0 == path }
    for other in left where unlink(other) != 0 { throw OnePassError.failed(.remove, other) }
  }

  /// Removes the unfinished index, unless it was renamed.
  func release() { unlink(file.path) }
}
