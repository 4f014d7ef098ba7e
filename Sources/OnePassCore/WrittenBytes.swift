import Foundation

/// Bytes in a temporary file, which are read from there when they are needed.
///
/// `@unchecked Sendable` because the file is not changed.
@usableFromInline
package final class WrittenBytes: @unchecked Sendable {
  @usableFromInline let count: Int
  private let start: UnsafeMutableRawPointer

  /// Maps a file, which may be closed afterwards.
  /// - Parameters:
  ///   - descriptor: A file of at least `count` bytes.
  ///   - count: The number of bytes, at least 1.
  /// - Returns: `nil` if that fails; `errno` then has the reason.
  package init?(descriptor: Int32, count: Int) {
    guard let start = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED else {
      return nil
    }
    (self.start, self.count) = (start, count)
  }

  deinit { munmap(start, count) }

  /// Calls `body` with the bytes, whose memory is then released.
  func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) {
      defer { madvise(start, count, MADV_DONTNEED) }
      return try body(
        UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: count))
    }
  }
}
