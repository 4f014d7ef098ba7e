import CBrokers
import OnePassCore

extension KafkaReader {
  /// Asks the broker for the ends of a partition, at most every five seconds, or every second if something seems wrong.
  /// - Returns: Whether the broker is within reach, as far as is known.
  func probe(_ partition: KafkaPartition) throws -> Bool {
    let isDoubtful = partition.isDoubtful
    guard .now - partition.lastProbe > .seconds(isDoubtful ? 1 : 5) else { return !isDoubtful }
    partition.lastProbe = .now
    switch client.watermarks(partition.number, within: 0.5) {
    case .success(let kept):
      (partition.lostSince, partition.missingSince) = (nil, nil)
      try check(kept, partition)
      return true
    case .failure(let problem):
      if let denied = problem.permanent(address) { throw denied }
      if problem.isMissing {
        try checkMissing(since: &partition.missingSince)
      } else {
        try checkPatience(partition, problem)
      }
      return false
    }
  }

  private func checkPatience(_ partition: KafkaPartition, _ problem: KafkaProblem) throws {
    let since = partition.lostSince ?? .now
    partition.lostSince = since
    guard .now - since < .seconds(settings.patience) else {
      throw OnePassError.brokerUnreachable(address, reason: lastProblem?.text ?? problem.text)
    }
  }

  /// Compares the position with what the broker has, and reads on if that is possible.
  private func check(_ kept: Range<Int64>, _ partition: KafkaPartition) throws {
    let isRefused = partition.isOutOfRange
    let position = partition.position
    let place = position > 0 ? BrokerOffset(UInt64(position - 1)) : nil
    if let place, kept.upperBound < position {
      let since = partition.shortSince ?? .now
      partition.shortSince = since
      guard !isRefused, .now - since < Self.certainty else {
        let newest = kept.upperBound > 0 ? BrokerOffset(UInt64(kept.upperBound - 1)) : nil
        return try fail(partition, .streamWentBack(address, place: place, newest: newest))
      }
    } else {
      partition.shortSince = nil
      if isRefused, kept.lowerBound > position {
        try fail(partition, .messagesLost(address, count: Int(kept.lowerBound - position), after: place))
      }
    }
    if isRefused { try start(partition) }
  }

  private func fail(_ partition: KafkaPartition, _ error: OnePassError) throws {
    partition.failure = error
    throw error
  }
}
