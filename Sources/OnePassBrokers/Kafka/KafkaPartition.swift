import CBrokers
import OnePassCore

/// How far a partition was read.
final class KafkaPartition {
  let number: Int
  /// The last message that was polled.
  private(set) var place: PartitionPlace?
  /// The offset after what was polled, and after the gap at the end. Before the first message it is 0, not the first one that is left,
  /// so that removed messages are missed.
  private(set) var position: Int64
  /// The end that was reached behind the messages that are being taken.
  private(set) var reachedEnd: Int64?
  /// Whether the last thing that was polled is the end.
  private(set) var isAtEnd = false
  /// Whether messages were polled, and since then neither more of them nor the end.
  var mayBeStalled = false
  /// An error that ends the reading until the next seek.
  var failure: OnePassError?

  /// Since when the connection may be lost.
  var lostSince: ContinuousClock.Instant?
  /// Since when the topic is unknown.
  var missingSince: ContinuousClock.Instant?
  /// Since when the partition ends before the position.
  var shortSince: ContinuousClock.Instant?
  var lastProbe = ContinuousClock.now
  /// Whether the broker has no message at the position.
  private(set) var isOutOfRange = false

  /// Whether the broker must show that it still has the last message.
  var mustVerify = false
  /// Whether the next message should be the last one that was polled.
  private(set) var isVerifying = false
  private var mark: MessageMark?

  init(_ number: Int, after place: PartitionPlace?) {
    (self.number, self.place) = (number, place)
    position = place.map { Int64($0.last.major) + 1 } ?? 0
  }

  /// The offset from which to fetch: the last message again, if it must be verified.
  func start() -> Int64 {
    isVerifying = mustVerify && mark != nil
    (mustVerify, isOutOfRange, reachedEnd, isAtEnd) = (false, false, nil, false)
    if isVerifying, let place { return Int64(place.last.major) }
    return position
  }

  /// After a loss of the connection.
  func suspect() {
    lostSince = lostSince ?? .now
    if mark != nil { mustVerify = true }
  }

  /// The broker has refused the position. Its ends are asked for at once.
  func setOutOfRange() {
    isOutOfRange = true
    lastProbe = .now - .seconds(60)
  }

  /// The end was reached behind the messages that are being taken.
  func reachEnd(_ end: Int64) {
    if end < position {
      shortSince = shortSince ?? .now
    } else {
      (reachedEnd, isVerifying) = (end, false)
    }
  }

  /// Whether the broker's answer is needed soon.
  var isDoubtful: Bool { lostSince != nil || missingSince != nil || shortSince != nil || isOutOfRange }

  /// Compares the last message with what the broker has now in its place.
  /// - Returns: Whether the message was delivered already.
  func isKnown(_ message: BrokerMessage, _ address: BrokerAddress) -> Bool {
    reachedEnd = nil
    guard isVerifying, let place else { return false }
    isVerifying = false
    // A later one: compaction or retention has removed it.
    guard message.offset == place.last else { return false }
    guard MessageMark(message) == mark else {
      failure = .messageReplaced(address, place: place.last)
      return false
    }
    return true
  }

  func advance(_ messages: [BrokerMessage]) {
    if let last = messages.last {
      (place, mark) = (PartitionPlace(last.offset), MessageMark(last))
      position = Int64(last.offset.major) + 1
    }
    if let reachedEnd { position = max(position, reachedEnd) }
    (isAtEnd, lostSince, missingSince, shortSince) = (reachedEnd != nil, nil, nil, nil)
    mayBeStalled = !isAtEnd
    if messages.isEmpty { reachedEnd = nil }
  }
}
