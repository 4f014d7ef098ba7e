import OnePassCore

// Errors of NATS and RabbitMQ.
extension OnePassError {
  static func invalidStreamName(_ address: BrokerAddress) -> OnePassError {
    OnePassError(
      .usage, "\(address): the name of a stream has no spaces, and none of . * > / and \\; rename it.")
  }

  static func noPlainSubject(_ address: BrokerAddress) -> OnePassError {
    OnePassError(
      .usage, "\(address): the stream has no subject without wildcards to publish to; give it one.")
  }

  /// - Parameter retention: `interest` or `workqueue`.
  static func consumedStream(_ address: BrokerAddress, retention: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(address): the stream removes messages once they are consumed (retention \(retention)); "
        + "use one with retention limits.")
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
      "\(address): a consumer \(name) exists that OnePass has not made; set another `group` in --broker-config."
    )
  }

  /// - Parameter count: The number of messages of which it is unknown whether the broker has them.
  static func unacknowledged(_ address: BrokerAddress, _ count: Int, reason: String) -> OnePassError {
    OnePassError(
      .io,
      "\(address): the connection was lost with \(count) messages unacknowledged (\(reason)); check the server."
    )
  }
}
