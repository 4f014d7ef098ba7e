import CBrokers
import OnePassCore

/// The properties of librdkafka for a stream: the lines of `--broker-config`, and what OnePass determines.
struct KafkaConfiguration {
  /// The number of partitions of a topic that is created.
  let partitions: Int
  private let address: BrokerAddress
  private let settings: BrokerSettings
  /// The properties of the user.
  private var given: [String: String]

  /// Short names of properties, the same for all brokers.
  private static let synonyms = [
    "ca": "ssl.ca.location", "certificate": "ssl.certificate.location", "key": "ssl.key.location",
    "user": "sasl.username", "password": "sasl.password",
  ]
  /// Properties that the places of a run or its limits depend on.
  private static let reserved: Set = [
    "acks", "allow.auto.create.topics", "auto.commit.enable", "auto.offset.reset", "bootstrap.servers",
    "delivery.report.only.error", "enable.auto.commit", "enable.auto.offset.store", "enable.partition.eof",
    "fetch.max.bytes", "fetch.message.max.bytes", "group.id", "isolation.level", "log.queue",
    "max.partition.fetch.bytes", "message.max.bytes", "metadata.broker.list", "queue.buffering.max.kbytes",
    "queued.max.messages.kbytes", "queued.min.messages", "receive.message.max.bytes", "request.required.acks",
    "security.protocol",
  ]

  /// - Throws: `OnePassError` (`usage`) for a property that is determined by OnePass.
  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    var settings = settings
    let parts = settings.take("partitions") ?? "1"
    guard let count = Int32(parts), count >= 1 else { throw OnePassError.invalidKafkaPartitions(parts) }
    (self.address, self.settings, partitions) = (address, settings, Int(count))
    given = [:]
    given["sasl.username"] = address.user
    given["sasl.password"] = address.password
    for (name, value) in settings.properties {
      guard !Self.reserved.contains(name) else { throw OnePassError.reservedKafkaProperty(name) }
      given[Self.synonyms[name] ?? name] = value
    }
  }

  /// The properties of both directions.
  private var common: [String: String] {
    let mechanism = given["sasl.mechanisms"] ?? given["sasl.mechanism"]
    let isAuthenticated = given["sasl.username"] != nil || mechanism != nil
    var values = [
      "client.id": "onepass", "bootstrap.servers": address.servers.map(\.text).joined(separator: ","),
      "topic.metadata.refresh.interval.ms": "10000", "reconnect.backoff.max.ms": "1000",
      "socket.timeout.ms": "10000",
      // Errors are events; the log would be written to the terminal.
      "log_level": "0",
    ]
    if isAuthenticated, mechanism == nil { values["sasl.mechanisms"] = "PLAIN" }
    values.merge(given) { $1 }
    values["security.protocol"] = (isAuthenticated ? "sasl_" : "") + (address.isSecure ? "ssl" : "plaintext")
    return values
  }

  /// Properties of a reader that fetches a number of partitions at the same time.
  ///
  /// librdkafka starts a fetch while less than the queue's limit waits, and releases the memory of a fetch with its last
  /// message: a partition has at most the queue, a fetch in progress and one that is partly read.
  func reader(partitions: Int) -> [String: String] {
    let share = settings.fetchBytes / partitions
    let fetch = max(1_024, share / 4)
    // librdkafka requires: messages <= fetches <= receptions - 512. Any message is received, so that an error has its offset.
    let fetches = min(1 << 30, max(1_024, settings.fetchBytes / 4))
    return common.merging([
      "group.id": settings.group, "enable.auto.commit": "false", "enable.auto.offset.store": "false",
      "auto.offset.reset": "error", "enable.partition.eof": "true", "isolation.level": "read_committed",
      "allow.auto.create.topics": "false", "topic.metadata.propagation.max.ms": "5000",
      "queued.max.messages.kbytes": "\(max(1, share / 2 / 1_024))",
      // A message takes about as much in librdkafka in addition to its bytes.
      "queued.min.messages": "\(min(100_000, max(1, share / 2 / 512)))",
      "fetch.message.max.bytes": "\(min(1_000_000_000, fetch))", "fetch.max.bytes": "\(fetches)",
      "message.max.bytes": "\(min(fetches, 1_000_000))", "receive.message.max.bytes": "\(Int32.max)",
    ]) { $1 }
  }

  /// Properties of a writer, which queues as much as a reader fetches, and at least one message of any size.
  func writer() -> [String: String] {
    // The limit of the message with its key and headers; that of the topic is the broker's.
    let message = min(1_000_000_000, settings.messageBytes + (1 << 16))
    let acknowledgement = ["enable.idempotence": "true"].merging(common) { $1 }
    return acknowledgement.merging([
      "acks": "all", "delivery.report.only.error": "true", "allow.auto.create.topics": "false",
      "queue.buffering.max.kbytes": "\(max(settings.fetchBytes, message) / 1_024 + 1)",
      "message.max.bytes": "\(message)",
      "message.timeout.ms": given["message.timeout.ms"] ?? "\(Int(max(1, settings.patience * 1_000)))",
    ]) { $1 }
  }

  /// Sets properties.
  /// - Returns: librdkafka's configuration, which the caller owns.
  func made(_ kafka: UnsafePointer<CBKafka>, _ values: [String: String]) throws -> UnsafeMutableRawPointer {
    guard let made = kafka.pointee.rd_kafka_conf_new() else {
      throw OnePassError.kafkaPropertiesRefused(reason: "memory")
    }
    // From version 2.2, how long a partition is not fetched after its queue was full; unknown before.
    _ = kafka.pointee.rd_kafka_conf_set(made, "fetch.queue.backoff.ms", "5", nil, 0)
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      var reason = [CChar](repeating: 0, count: 512)
      let outcome = kafka.pointee.rd_kafka_conf_set(made, name, value, &reason, reason.count)
      guard Int(outcome) != cb_kafka_conf_ok else { continue }
      kafka.pointee.rd_kafka_conf_destroy(made)
      guard Int(outcome) != cb_kafka_conf_unknown else {
        throw OnePassError.unknownBrokerProperty(
          name, of: .kafka,
          known: ["partitions"] + Self.synonyms.keys.sorted() + ["the properties of librdkafka"])
      }
      throw OnePassError.invalidBrokerProperty(name, reason: KafkaClient.text(reason))
    }
    return made
  }
}
