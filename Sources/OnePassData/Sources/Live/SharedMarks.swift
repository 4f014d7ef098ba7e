import CXXHash
import Foundation
import OnePassBrokers

/// The marks of a stream, which one thread notes and another saves.
final class SharedMarks: @unchecked Sendable {
  private let lock = NSLock()
  private var marks = StreamMarks(StreamMark(), at: 0)
  private var waiting: [RejectedMessage] = []
  private var newest: RejectedMessage?
  private var peak = 0
  private var partitions = 0

  /// The maximum number of rejected messages that wait to be recorded.
  private static let keptRejections = 1_000

  func start(_ mark: StreamMark, at position: Int, partitions: Int) {
    lock.withLock { (marks, self.partitions) = (StreamMarks(mark, at: position), partitions) }
  }

  func note(_ message: StreamMark.Known, _ place: PartitionPlace, begun: Int) {
    lock.withLock { marks.note(message, place, begun: begun) }
  }

  func pass(_ partition: Int, to place: PartitionPlace?, lost: Int) {
    lock.withLock { marks.pass(partition, to: place, lost: lost) }
  }

  func reject(_ message: RejectedMessage, in partition: Int, to place: PartitionPlace?) {
    lock.withLock {
      marks.pass(partition, to: place, rejected: 1)
      newest = message
      if waiting.count < Self.keptRejections { waiting.append(message) }
    }
  }

  func mark(at position: Int) -> StreamMark { lock.withLock { marks.mark(at: position) } }

  var last: StreamMark { lock.withLock { marks.last } }

  func message(of position: Int) -> StreamMark.Known? { lock.withLock { marks.message(of: position) } }

  /// Forgets the marks before a position, and returns the messages that were rejected before it.
  func settle(upTo position: Int) -> [RejectedMessage] {
    lock.withLock {
      marks.settle(upTo: position)
      let settled = waiting.prefix { $0.position < position }
      waiting.removeFirst(settled.count)
      return Array(settled)
    }
  }

  /// The rejected messages that are not settled.
  var rejections: [RejectedMessage] { lock.withLock { waiting } }

  var lastRejection: RejectedMessage? { lock.withLock { newest } }

  /// Notes the memory of messages that were fetched and not delivered.
  func note(bytes: Int) { lock.withLock { peak = max(peak, bytes) } }

  var peakBytes: Int { lock.withLock { peak } }

  /// The number of partitions that are read.
  var partitionCount: Int {
    get { lock.withLock { partitions } }
    set { lock.withLock { partitions = newValue } }
  }
}

extension BrokerMessage {
  /// XXH3 of the body, the key and the headers.
  var digest: UInt64 {
    var rest: [UInt8] = []
    for part in [key ?? []] + headers.flatMap({ [Array($0.name.utf8), $0.value] }) {
      withUnsafeBytes(of: part.count.littleEndian) { rest += $0 }
      rest += part
    }
    let seed = rest.withUnsafeBytes { XXH3_64bits($0.baseAddress, $0.count) }
    return body.withUnsafeBytes { XXH3_64bits_withSeed($0.baseAddress, $0.count, seed) }
  }
}
