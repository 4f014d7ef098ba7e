import OnePassCore

extension OnePassError {
  static func reservedKafkaProperty(_ name: String) -> OnePassError {
    OnePassError(.usage, "--broker-config: \(name) is determined by OnePass; remove it.")
  }

  /// - Parameter reason: librdkafka's words.
  static func kafkaPropertiesRefused(reason: String) -> OnePassError {
    OnePassError(.usage, "--broker-config: librdkafka refuses the properties (\(reason)); correct them.")
  }

  /// - Parameter value: The value of `partitions`.
  static func invalidKafkaPartitions(_ value: String) -> OnePassError {
    OnePassError(.usage, "--broker-config: partitions must be at least 1 (got \(value)).")
  }

  static func kafkaTopicNotCreated(_ address: BrokerAddress, reason: String) -> OnePassError {
    OnePassError(.io, "\(address): the topic cannot be created (\(reason)); create it with Kafka's tools.")
  }

  /// - Parameter place: The last message that was read.
  static func messageReplaced(_ address: BrokerAddress, place: BrokerOffset) -> OnePassError {
    OnePassError(
      .badData,
      "\(address): the message at \(place) is not the one that was read; "
        + "its server lost messages or the stream was created again, so it cannot be continued.")
  }
}
