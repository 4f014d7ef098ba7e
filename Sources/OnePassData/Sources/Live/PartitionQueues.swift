import OnePassBrokers
import OnePassCore

/// The messages of all partitions in one order: the partitions take turns, and one without a message is passed over.
final class PartitionQueues {
  private let reader: any BrokerReader
  private var queues: [ArraySlice<BrokerMessage>] = []
  /// The partition to look at next.
  var turn = 0
  /// The memory of messages that were polled and not taken, in bytes.
  private(set) var bytes = 0
  /// The maximum of ``bytes``.
  private(set) var peakBytes = 0

  init(_ reader: any BrokerReader) { self.reader = reader }

  var count: Int { queues.count }

  /// Adds a partition, the next number.
  func add() { queues.append([]) }

  /// Forgets what was polled of a partition.
  func clear(_ partition: Int) {
    bytes -= queues[partition].reduce(0) { $0 + $1.byteCount }
    queues[partition] = []
  }

  /// The next message in turn; `nil` if no partition has one now.
  /// - Parameter seconds: The longest wait.
  func next(waiting seconds: Double) throws -> BrokerMessage? {
    var isAtEnd = true
    for step in 0..<queues.count {
      let partition = (turn + step) % queues.count
      switch try poll(partition, seconds: queues.count == 1 ? seconds : 0) {
      case .ready: return take(partition)
      case .end: continue
      // Whether it has a message is not known yet, so that its turn is not over.
      case .unknown:
        isAtEnd = false
        guard try poll(partition, seconds: seconds) == .ready else { return nil }
        return take(partition)
      }
    }
    guard isAtEnd, queues.count > 1 else { return nil }
    let partition = turn % queues.count
    turn = partition + 1
    return try poll(partition, seconds: min(seconds, 0.05)) == .ready ? take(partition) : nil
  }

  /// The next message of a partition; `nil` if it has none within the time.
  /// - Returns: Whether the partition is at its end.
  func next(of partition: Int, waiting seconds: Double) throws -> (message: BrokerMessage?, isAtEnd: Bool) {
    guard partition < queues.count else { return (nil, true) }
    switch try poll(partition, seconds: seconds) {
    case .ready: return (take(partition), false)
    case .end: return (nil, true)
    case .unknown: return (nil, false)
    }
  }

  private enum State { case ready, end, unknown }

  private func poll(_ partition: Int, seconds: Double) throws -> State {
    guard queues[partition].isEmpty else { return .ready }
    switch try reader.poll(partition, seconds: seconds) {
    case .messages(let messages):
      queues[partition] = messages[...]
      bytes += messages.reduce(0) { $0 + $1.byteCount }
      peakBytes = max(peakBytes, bytes)
      return .ready
    case .end: return .end
    case .nothing: return .unknown
    }
  }

  private func take(_ partition: Int) -> BrokerMessage {
    let message = queues[partition].removeFirst()
    bytes -= message.byteCount
    turn = partition + 1
    return message
  }
}
