import Foundation

/// The identity of a file or folder, equal for two paths, or a path and an open file, that refer to the same one.
///
/// ```swift
/// let isSame = FileIdentity(path: "data/train") == FileIdentity(path: "data/../data/train")
/// ```
public struct FileIdentity: Hashable, Sendable {
  private let device: UInt64
  private let number: UInt64

  /// Creates an identity from the result of `stat` or `fstat`.
  public init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    number = UInt64(truncatingIfNeeded: status.st_ino)
  }

  /// The identity of the file at `path`; `nil` if it does not exist or cannot be inspected.
  public init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
