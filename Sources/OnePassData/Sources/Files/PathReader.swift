import Foundation
import OnePassCore

/// Paths as bytes, in order.
protocol PathReader: AnyObject {
  /// Whether `next` returns without waiting.
  var isReady: Bool { get }
  func next() throws -> [UInt8]?
}

/// The paths of an array.
final class PathList: PathReader {
  private var paths: IndexingIterator<[String]>
  let isReady = true

  init(_ paths: [String]) { self.paths = paths.makeIterator() }

  func next() -> [UInt8]? { paths.next().map { Array($0.utf8) } }
}

/// The paths in a file or pipe, each at the end of its line.
///
/// The bytes are read as they arrive, and the end of a line is not awaited longer than necessary.
final class PathLines: PathReader {
  private let file: OpenFile
  private let separator: UInt8
  private var block: [UInt8] = []
  /// The offset of the next line in the block, and the offset from which its end is searched.
  private var (start, searched) = (0, 0)
  private var isAtEnd = false
  private var number = 0
  /// An error that occurred while `isReady` read.
  private var failure: (any Error)?

  /// - Parameters:
  ///   - descriptor: An open file or pipe, which is not closed.
  ///   - name: Its name in messages.
  init(_ descriptor: Int32, separatedByZero: Bool, name: String) {
    // A copy, because the file closes its descriptor. A closed descriptor fails when it is read.
    file = OpenFile(adopting: fcntl(descriptor, F_DUPFD_CLOEXEC, 0), path: name)
    separator = separatedByZero ? 0 : UInt8(ascii: "\n")
  }

  var isReady: Bool {
    while !hasLine, !isAtEnd, failure == nil {
      var state = pollfd(fd: file.descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&state, 1, 0) > 0 else { return false }
      do { try fill() } catch { failure = error }
    }
    return true
  }

  func next() throws -> [UInt8]? {
    while true {
      if let failure { throw failure }
      while !hasLine, !isAtEnd { try fill() }
      guard start < block.count else { return nil }
      number += 1
      // The last line may lack its end.
      let end = min(searched, block.count)
      let line = block[start..<end]
      start = min(end + 1, block.count)
      searched = start
      if let path = try path(of: line) { return path }
    }
  }

  private func path(of line: ArraySlice<UInt8>) throws -> [UInt8]? {
    var line = line
    if separator != 0, line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard line.count <= LineReader.longestLine else { throw tooLong }
    guard !line.contains(0) else { throw OnePassError.pathContainsZero(line: number, of: file.path) }
    return line.isEmpty ? nil : Array(line)
  }

  private var tooLong: OnePassError {
    OnePassError.lineIsTooLong(number, of: file.path, limit: LineReader.longestLine)
  }

  /// Whether the block has the end of the next line, which is at `searched` then.
  private var hasLine: Bool {
    searched = block[searched...].firstIndex(of: separator) ?? block.count
    return searched < block.count
  }

  private func fill() throws {
    // Checked before more is read: an image in place of paths may have no line ends.
    guard block.count - start <= LineReader.longestLine else {
      number += 1
      throw tooLong
    }
    block.removeSubrange(..<start)
    (start, searched) = (0, block.count)
    guard let more = try file.nextBytes(upTo: 1 << 16) else {
      isAtEnd = true
      return
    }
    block += more
  }
}
