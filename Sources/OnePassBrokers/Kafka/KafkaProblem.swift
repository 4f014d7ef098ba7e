import CBrokers
import OnePassCore

/// An error of librdkafka or of the broker.
struct KafkaProblem: Error {
  let code: Int
  let text: String

  /// Whether the topic or the partition is unknown, which is also so for a moment after a restart.
  var isMissing: Bool {
    [cb_kafka_err_unknown_topic, cb_kafka_err_unknown_partition, cb_kafka_err_unknown_topic_or_part].contains(
      code)
  }

  /// The error for the user; `nil` if the problem can end by itself.
  func permanent(_ address: BrokerAddress) -> OnePassError? {
    switch code {
    case cb_kafka_err_authentication, cb_kafka_err_sasl_authentication_failed,
      cb_kafka_err_topic_authorization_failed, cb_kafka_err_cluster_authorization_failed:
      .brokerDenied(address, reason: text)
    case cb_kafka_err_ssl where text.contains("certificate"): .brokerDenied(address, reason: text)
    case cb_kafka_err_fatal: .brokerFailed(address, reason: text)
    default: nil
    }
  }
}

/// What librdkafka reports apart from messages.
enum KafkaEvent {
  case problem(KafkaProblem)
  /// A message of a writer that was not accepted.
  case refused(bytes: Int, KafkaProblem)
}
