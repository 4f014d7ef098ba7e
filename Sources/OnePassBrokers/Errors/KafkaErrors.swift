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
    OnePassError(.usage, "--broker-config: partitions must be from 1 to 2147483647 (got \(value)).")
  }

  static func kafkaTopicNotCreated(_ address: BrokerAddress, reason: String) -> OnePassError {
    OnePassError(.io, "\(address): the topic cannot be created (\(reason)); create it with Kafka's tools.")
  }
}
