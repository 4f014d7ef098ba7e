import Foundation

/// Bytes that come one after the other: of a file, a pipe or a download. Owned by one thread.
protocol ByteInput: AnyObject {
  /// Whether it is a file on disk, with nothing behind its end.
  var isFile: Bool { get }

  /// Where the next byte lies in the file; `nil` if it is none.
  var offset: Int? { get }

  /// Reads as many bytes as there are at once, at most as many as `target` has; 0 at the end.
  func read(into target: UnsafeMutableRawBufferPointer) throws(ReadFailure) -> Int

  /// Passes over bytes without reading them; `false` if there are fewer, `nil` if they have to be read.
  func skip(_ count: Int) throws(ReadFailure) -> Bool?
}

/// A file, a part of one, or whatever else a descriptor reads.
final class FileInput: ByteInput {
  let isFile: Bool
  private let file: OpenFile
  private var position: Int
  private let end: Int

  /// - Parameters:
  ///   - file: A file or a pipe; of a file no position is moved, so that it can be read at several places.
  ///   - range: The part to read, in bytes; all that is to come if `nil`.
  init(_ file: OpenFile, range: Range<Int>? = nil) {
    self.file = file
    var status = stat()
    isFile = fstat(file.descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    let size = isFile ? Int(status.st_size) : .max
    // Standard input may be a file of which another process has read the beginning.
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
        throw ReadFailure(kind: .io, detail: String(cString: strerror(errno)))
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
