import Foundation
import OnePassBrokers
import OnePassCore

// The place in the stream: where a run starts, what it has trained, and how it resumes.
extension LiveSource {
  // MARK: What is trained

  /// The mark before an example that was delivered and not settled.
  package func mark(at position: Int) -> StreamMark { shared.mark(at: position) }

  /// Forgets the marks before a position, and returns the messages that were rejected before it.
  package func settle(upTo position: Int) -> [RejectedMessage] { shared.settle(upTo: position) }

  /// The rejected messages that are not settled.
  package var unsettledRejections: [RejectedMessage] { shared.rejections }

  /// The number of messages that were removed before they could be read.
  package var lostCount: Int { shared.last.lost }

  /// The number of messages that held no example, and the last of them, as text for any thread; `nil` for none.
  package var rejectedText: @Sendable () -> String? {
    { [shared] in
      shared.lastRejection.map {
        let count = shared.last.rejected
        let words = count == 1 ? "1 message holds none" : "\(count) messages hold none"
        return "\(words), the last one at \($0.place): \($0.reason)"
      }
    }
  }

  /// Reports to the broker what is trained and saved.
  /// - Returns: A message for the user if that failed.
  package func confirm(_ mark: StreamMark) -> String? {
    reader.confirm(mark.places).map {
      "\(specification): the progress could not be reported to the broker (\($0))."
    }
  }

  /// The number of messages after a mark, as of a few seconds ago; `nil` if it is unknown.
  /// - Parameter seconds: How long to wait for the broker's first answer; `nil` to take what is known.
  package func lag(after mark: StreamMark, waiting seconds: Double? = nil) -> Int? {
    var sum = 0
    for partition in 0..<max(mark.places.count, shared.partitionCount) {
      let place = partition < mark.places.count ? mark.places[partition] : nil
      let lag =
        seconds.map { reader.lag(after: place, in: partition, waiting: $0) }
        ?? reader.lag(after: place, in: partition)
      guard let lag else { return nil }
      sum += lag
    }
    return sum
  }

  /// The peak of the memory of messages that were fetched and not delivered, in bytes, without that of the client library.
  package var peakFetchedBytes: Int { shared.peakBytes }

  // MARK: Starting and resuming

  /// Starts at the first message that is left, as a new run does.
  func begin() throws {
    let count = try reader.partitionCount()
    for partition in 0..<count {
      let start = try reader.kept(partition).start
      try reader.seek(partition, after: start)
      add(partition, after: start)
    }
    shared.start(StreamMark(places: places), at: 0, partitions: count)
  }

  /// Determines the mark to which ``restore(position:)`` returns.
  package func prepareToRestore(_ mark: StreamMark, at position: Int) { prepared = (mark, position) }

  package func restore(position: Int) throws {
    guard let prepared, prepared.position == position else {
      guard position == 0 else { throw OnePassError.noStreamMark(specification) }
      return
    }
    let mark = prepared.mark
    let count = try reader.partitionCount()
    guard count >= mark.places.count else {
      throw OnePassError.partitionsMissing(specification, mark.places.count, count)
    }
    (rejectedCount, messageCount, begun) = (mark.rejected, mark.messages, mark.begun)
    shared.start(mark, at: position, partitions: mark.places.count)
    for partition in 0..<count {
      let place = partition < mark.places.count ? mark.places[partition] : nil
      // The queue of a service is its own, and images in it can have been overwritten.
      if address.kind != .inbox {
        try recognise(mark.known.filter { $0.partition == partition }, reader.kept(partition))
      }
      try open(partition, after: place)
    }
    queues.turn = mark.turn
    self.position = position
  }

  /// Reads a partition after a place that the run has reached; `nil` for a partition that is new to it.
  /// - Throws: `OnePassError` (`badData`) if it is another stream, or has lost messages after the place.
  func open(_ partition: Int, after place: PartitionPlace?) throws {
    let kept = try reader.kept(partition)
    if let place, kept.contradicts(place) {
      throw OnePassError.streamWentBack(address, place: place.last, newest: kept.newest)
    }
    add(partition, after: place)
    try pass(partition, kept)
    try reader.seek(partition, after: places[partition])
  }

  private func add(_ partition: Int, after place: PartitionPlace?) {
    places.append(place)
    queues.add()
    shared.partitionCount = places.count
  }

  // MARK: Messages that were removed

  /// Moves the place of a partition to the first message that is left.
  /// - Returns: Whether messages were lost.
  /// - Throws: `OnePassError` (`badData`) if they stop the run.
  @discardableResult
  private func pass(_ partition: Int, _ kept: KeptMessages) throws -> Bool {
    let place = places[partition]
    guard let lost = kept.lost(after: place), lost > 0 else { return false }
    guard options.gaps == .continue else {
      throw OnePassError.messagesLost(address, count: lost, after: place?.last)
    }
    report.leaveOut(
      lost, "removed before it was read", example: place.map { "after \($0.last)" } ?? "the first")
    places[partition] = kept.passing(place)
    shared.pass(partition, to: places[partition], lost: lost)
    return true
  }

  /// Passes over the messages that the reader misses.
  func passGaps() throws -> Bool {
    var isPassed = false
    for partition in places.indices where try pass(partition, reader.kept(partition)) {
      queues.clear(partition)
      try reader.seek(partition, after: places[partition])
      isPassed = true
    }
    return isPassed
  }

  // MARK: Recognising the stream

  /// Compares the messages before the place with those that were read, as far as they are still there.
  private func recognise(_ known: [StreamMark.Known], _ kept: KeptMessages) throws {
    guard let first = known.first, let last = known.last else { return }
    try reader.seek(first.partition, after: Self.start(before: first, kept))
    let digests = Dictionary(uniqueKeysWithValues: known.map { ($0.offset, $0.digest) })
    let end = ContinuousClock.now + .seconds(options.broker.patience)
    while .now < end {
      switch try reader.poll(first.partition, seconds: 1) {
      case .end: return
      case .nothing: continue
      case .messages(let messages):
        for message in messages {
          guard message.offset <= last.offset else { return }
          guard digests[message.offset].map({ $0 == message.digest }) ?? true else {
            throw OnePassError.otherStream(specification, at: "\(message.offset)")
          }
        }
        if let offset = messages.last?.offset, offset >= last.offset { return }
      }
    }
    throw OnePassError.brokerUnreachable(
      address, reason: "the messages before the place of the checkpoint did not arrive")
  }

  /// The place from which a known message is read again, or the first one that is left.
  private static func start(before message: StreamMark.Known, _ kept: KeptMessages) -> PartitionPlace? {
    // Without its index, since what was removed before it is not missing.
    let before = message.before.map { PartitionPlace($0.last) }
    guard let first = kept.first, !first.isDouble, first > message.offset else { return before }
    return kept.start
  }
}
