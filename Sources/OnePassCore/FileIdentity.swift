import Foundation

/// What makes two paths, or a path and an open file, the same file or folder.
public struct FileIdentity: Hashable, Sendable {
  private let device: UInt64
  private let number: UInt64

  public init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    number = UInt64(truncatingIfNeeded: status.st_ino)
  }

  /// The file at a path; `nil` if there is none.
  public init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
