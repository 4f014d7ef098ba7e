import OnePassCore
import Testing

@testable import OnePassBrokers

@Suite("Error messages of Kafka") struct KafkaErrorMessageTests {
  @Test("Each failure is reported with its value and the remedy")
  func messages() throws {
    let address = try BrokerAddress("kafka://me:canary@h/t")
    let messages: [(error: OnePassError, code: OnePassError.Code, text: String)] = [
      (
        .reservedKafkaProperty("group.id"), .usage,
        "--broker-config: group.id is determined by OnePass; remove it."
      ),
      (
        .kafkaPropertiesRefused(reason: "no such mechanism"), .usage,
        "--broker-config: librdkafka refuses the properties (no such mechanism); correct them."
      ),
      (
        .invalidKafkaPartitions("0"), .usage,
        "--broker-config: partitions must be from 1 to 2147483647 (got 0)."
      ),
      (
        .kafkaTopicNotCreated(address, reason: "no answer"), .io,
        "kafka://h:9092/t: the topic cannot be created (no answer); create it with Kafka's tools."
      ),
      (
        .messageReplaced(address, place: BrokerOffset(7)), .badData,
        "kafka://h:9092/t: the message at 7 is not the one that was read; "
          + "its server lost messages or the stream was created again, so it cannot be continued."
      ),
    ]
    for (error, code, text) in messages {
      #expect(error.message == text)
      #expect(error.code == code)
    }
  }
}
