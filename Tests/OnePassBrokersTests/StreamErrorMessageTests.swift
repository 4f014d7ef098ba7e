import OnePassCore
import Testing

@testable import OnePassBrokers

@Suite("Error messages of NATS and RabbitMQ") struct StreamErrorMessageTests {
  @Test("Each failure is reported with its value and the remedy") func messages() throws {
    let address = try BrokerAddress("nats://me:canary@h/s")
    let messages: [(error: OnePassError, code: OnePassError.Code, text: String)] = [
      (
        .messagesLost(address, count: 6, after: BrokerOffset(2)), .badData,
        "nats://h:4222/s: 6 messages after 2 were removed before they were read; keep messages for longer, "
          + "or pass --on-gap continue to train on what is left."
      ),
      (
        .invalidStreamName(address), .usage,
        "nats://h:4222/s: the name of a stream has no spaces, and none of . * > / and \\; rename it."
      ),
      (
        .consumedStream(address, retention: "workqueue"), .usage,
        "nats://h:4222/s: the stream removes messages once they are consumed (retention workqueue); "
          + "use one with retention limits."
      ),
      (
        .noPlainSubject(address), .usage,
        "nats://h:4222/s: the stream has no subject without wildcards to publish to; give it one."
      ),
      (
        .isNoStreamQueue(address, reason: "classic"), .usage,
        "nats://h:4222/s: the queue is not a stream (classic); declare it with x-queue-type: stream."
      ),
      (
        .invalidHeader(address, "a:b"), .badData,
        "nats://h:4222/s: a header cannot have the name \"a:b\"; rename it."
      ),
      (
        .foreignConsumer(address, "g"), .usage,
        "nats://h:4222/s: a consumer g exists that OnePass has not made; set another `group` in --broker-config."
      ),
      (
        .unacknowledged(address, 3, reason: "closed"), .io,
        "nats://h:4222/s: the connection was lost with 3 messages unacknowledged (closed); check the server."
      ),
    ]
    for (error, code, text) in messages {
      #expect(error.message == text)
      #expect(error.code == code)
    }
  }
}
