import Foundation

/// The bytes of a file, a pipe or a download, in order. Owned by one thread.
protocol ByteInput: AnyObject {
  /// Whether this is a regular file, whose end is known.
  var isFile: Bool { get }

  /// The offset of the next byte in the file; `nil` if this is not a file.
  var offset: Int? { get }

  /// Reads the bytes that are available, at most `target.count`. Returns 0 at the end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int

  /// Skips bytes without reading them; `false` if there are fewer, `nil` if the input cannot seek.
  func skip(_ count: Int) throws(ReadFailure) -> Bool?
}

/// A file, a part of a file, or any other readable descriptor.
final class FileInput: ByteInput {
  let isFile: Bool
  private let file: OpenFile
  private var position: Int
  private let end: Int

  /// - Parameters:
  ///   - file: A file or a pipe. The position of a file is not moved, so several inputs can share it.
  ///   - range: The part to read, in bytes; everything from the current position if `nil`.
  init(_ file: OpenFile, range: Range<Int>? = nil) {
    self.file = file
    var status = stat()
    isFile = fstat(file.descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    let size = isFile ? Int(status.st_size) : .max
    // Standard input may be a file whose start another process has read.
    position = range?.lowerBound ?? max(0, Int(lseek(file.descriptor, 0, SEEK_CUR)))
    end = min(range?.upperBound ?? size, size)
  }

  var offset: Int? { isFile ? position : nil }

  func read(into target: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int {
    let count = min(target.count, max(0, end - position))
    while true {
      let got =
        isFile
        ? pread(file.descriptor, target.baseAddress, count, off_t(position))
        : Foundation.read(file.descriptor, target.baseAddress, count)
      if got >= 0 {
        position += got
        return got
      }
      guard errno == EINTR else {
        throw ReadFailure.system()
      }
    }
  }

  func skip(_ count: Int) -> Bool? {
    guard isFile else { return nil }
    guard count <= end - position else { return false }
    position += count
    return true
  }
}
