import Foundation
import OnePassCore

/// The order in which the examples of several partitions were delivered since the process started.
///
/// A partition takes its turn only if it has a message. Which one has depends on when messages arrive, so a run that is interrupted
/// and resumed repeats the recorded order, and then takes turns again. The file has two bytes for each example, the number of its
/// partition, after the position of the first one. What is written survives the end of the process, not that of the machine.
final class MessageOrder {
  private let path: String
  private var file: FileHandle?
  /// Recorded partitions that are to be repeated.
  private var recorded: ArraySlice<UInt16> = []
  private var position: Int

  static let headerBytes = 8

  /// - Parameters:
  ///   - path: The file, in the folder of the run.
  ///   - position: The position of the next example.
  init(_ path: String, at position: Int) throws {
    (self.path, self.position) = (path, position)
    if let data = FileManager.default.contents(atPath: path), data.count >= Self.headerBytes {
      let first = data.prefix(Self.headerBytes).enumerated().reduce(0) {
        $0 | Int($1.element) << (8 * $1.offset)
      }
      let bytes = [UInt8](data.dropFirst(Self.headerBytes))
      let all = stride(from: 0, to: bytes.count - 1, by: 2).map {
        UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8
      }
      // Up to the first recorded example, the stream had one partition.
      let single = [UInt16](repeating: 0, count: max(0, first - position))
      recorded = single + all.dropFirst(max(0, position - first))
    }
    try rewrite()
  }

  /// The partition of the next example, if an earlier process has delivered it.
  var next: Int? { recorded.first.map(Int.init) }

  /// Forgets what is to be repeated, because the broker has lost it.
  func abandon() { recorded = [] }

  /// Records the partition of an example that is about to be delivered.
  func record(_ partition: Int) throws {
    position += 1
    if recorded.popFirst() != nil { return }
    try write(UInt16(partition))
  }

  /// Writes what is to be repeated to a new file that replaces the old one.
  private func rewrite() throws {
    let header = (0..<Self.headerBytes).map { UInt8(truncatingIfNeeded: position >> (8 * $0)) }
    do {
      try Data(header + Self.bytes(of: recorded)).write(to: URL(fileURLWithPath: path), options: .atomic)
      let opened = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      try opened.seekToEnd()
      file = opened
    } catch { throw OnePassError.cannotRecordOrder(path, cause: error) }
  }

  private static func bytes(of partitions: some Sequence<UInt16>) -> [UInt8] {
    partitions.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
  }

  private func write(_ partition: UInt16) throws {
    do { try file?.write(contentsOf: Data(Self.bytes(of: [partition]))) } catch {
      throw OnePassError.cannotRecordOrder(path, cause: error)
    }
  }
}
