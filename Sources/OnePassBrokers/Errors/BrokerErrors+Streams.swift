import OnePassCore

// Errors of NATS and RabbitMQ.
extension OnePassError {
  /// Messages after the place of a reader that the broker has removed.
  /// - Parameters:
  ///   - count: Their number; `nil` if it is unknown.
  ///   - place: The last message that was read.
  static func messagesLost(_ address: BrokerAddress, _ count: Int?, after place: String) -> OnePassError {
    OnePassError(
      .badData,
      "\(address): \(count.map { "\($0)" } ?? "some") messages after \(place) were removed by the broker before they "
        + "were read; raise the limits of its retention, or continue with --on-gap continue.")
  }

  static func invalidStreamName(_ address: BrokerAddress) -> OnePassError {
    OnePassError(
      .usage, "\(address): the name of a stream has no spaces, and none of . * > / and \\; rename it.")
  }

  static func noPlainSubject(_ address: BrokerAddress) -> OnePassError {
    OnePassError(
      .usage, "\(address): the stream has no subject without wildcards to publish to; give it one.")
  }

  /// - Parameter kind: The kind that it is: `classic`, `quorum`.
  static func isNoStreamQueue(_ address: BrokerAddress, reason: String) -> OnePassError {
    OnePassError(
      .usage, "\(address): the queue is not a stream (\(reason)); declare it with x-queue-type: stream.")
  }

  static func invalidHeader(_ address: BrokerAddress, _ name: String) -> OnePassError {
    OnePassError(
      .badData, "\(address): a header cannot have the name \(name.debugDescription); rename it.")
  }

  static func foreignConsumer(_ address: BrokerAddress, _ name: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(address): a consumer \(name) exists that OnePass has not made; pass another name with --group.")
  }

  /// - Parameter count: The number of messages of which it is unknown whether the broker has them.
  static func unacknowledged(_ address: BrokerAddress, _ count: Int, reason: String) -> OnePassError {
    OnePassError(
      .io,
      "\(address): the connection was lost with \(count) messages unacknowledged (\(reason)); check the server."
    )
  }
}
