import CBrokers
import OnePassCore
import Synchronization

/// Reads a topic of Kafka, each partition from its own place, without joining a group: no partition is ever taken away.
///
/// It uses librdkafka's simple consumer, of which each partition has a queue. Only committed messages are read.
final class KafkaReader: BrokerReader {
  let address: BrokerAddress
  let settings: BrokerSettings
  private let configuration: KafkaConfiguration
  private let monitor: KafkaMonitor
  /// The ends of the partitions, for the lag.
  private let ends: BackgroundValue<[Range<Int64>]>

  private(set) var client: KafkaClient
  /// The number of partitions that the limits of the client are made for.
  private var count: Int
  private var countedAt = ContinuousClock.now
  private var missingSince: ContinuousClock.Instant?
  private var partitions: [Int: KafkaPartition] = [:]
  /// A problem that may end by itself.
  private(set) var lastProblem: KafkaProblem?

  /// How long a problem must last that also occurs for a moment after a restart of the broker.
  static let certainty = Duration.seconds(3)

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    (self.address, self.settings) = (address, settings)
    configuration = try KafkaConfiguration(address, settings)
    client = try KafkaClient(.reader, address, configuration, configuration.reader(partitions: 1))
    guard let count = try client.connect(settings) else { throw OnePassError.noSuchStream(address, "topic") }
    self.count = count
    if count > 1 {
      client = try KafkaClient(.reader, address, configuration, configuration.reader(partitions: count))
    }
    let monitor = KafkaMonitor(client, count: count)
    self.monitor = monitor
    ends = BackgroundValue(every: 2) { monitor.ends() }
  }

  // MARK: Partitions

  func partitionCount() throws -> Int {
    let interval = missingSince == nil ? 10 : 1
    guard .now - countedAt > .seconds(interval) else { return count }
    countedAt = .now
    // The topic's absence is certain only if the broker says so, and polls report a broker out of reach.
    guard case .success(let found) = client.partitionCount(within: 1) else { return count }
    if found == nil { try checkMissing(since: &missingSince) } else { missingSince = nil }
    if let found, found > count { try grow(to: found) }
    return count
  }

  /// Lets the next call count the partitions.
  func expireCount() { countedAt = .now - .seconds(60) }

  /// Divides the memory among more partitions.
  private func grow(to found: Int) throws {
    client = try KafkaClient(.reader, address, configuration, configuration.reader(partitions: found))
    count = found
    monitor.note(client, count: count)
    for partition in partitions.values { try start(partition) }
  }

  func checkMissing(since: inout ContinuousClock.Instant?) throws {
    let start = since ?? .now
    since = start
    guard .now - start < Self.certainty else { throw OnePassError.streamDisappeared(address, "topic") }
  }

  func kept(_ partition: Int) throws -> KeptMessages {
    switch client.watermarks(partition, within: min(10, settings.patience)) {
    case .success(let kept):
      return KeptMessages(
        first: kept.isEmpty ? nil : BrokerOffset(UInt64(kept.lowerBound)),
        newest: kept.upperBound > 0 ? BrokerOffset(UInt64(kept.upperBound - 1)) : nil)
    case .failure(let problem):
      if problem.isMissing { throw OnePassError.streamDisappeared(address, "topic") }
      throw problem.permanent(address) ?? .brokerUnreachable(address, reason: problem.text)
    }
  }

  func seek(_ number: Int, after place: PartitionPlace?) throws {
    let partition = KafkaPartition(number, after: place)
    partitions[number] = partition
    try start(partition)
    _ = ends.latest
  }

  func start(_ partition: KafkaPartition) throws {
    try client.fetch(partition.number, from: partition.start())
  }

  // MARK: Messages

  func poll(_ number: Int, seconds: Double) throws -> PolledMessages {
    guard let partition = partitions[number] else {
      preconditionFailure("Partition \(number) was not started by a seek.")
    }
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if let failure = partition.failure { throw failure }
      try readEvents()
      if partition.mustVerify { try start(partition) }
      let isEndDue = partition.reachedEnd != nil
      let left = (end - .now) / .seconds(1)
      let wait = isEndDue ? 0 : partition.mayBeStalled ? 0.005 : 0.5
      let messages = take(partition, within: max(0, min(left, wait)))
      // What arrived after a loss of the connection counts only once the broker has shown that it is the same stream.
      try readEvents()
      if partition.mustVerify {
        // A refusal is certain in any case.
        if partition.failure?.code != .denied { partition.failure = nil }
      } else if !messages.isEmpty || partition.reachedEnd != nil {
        partition.advance(messages)
        monitor.note(partition)
        return messages.isEmpty ? .end : .messages(messages)
      }
      guard partition.failure == nil else { continue }
      if partition.mayBeStalled { wake(partition) }
      let isReached = try probe(partition)
      if .now >= end { return isReached && partition.isAtEnd ? .end : .nothing }
    }
  }

  /// After its queue was full, librdkafka 2.0 fetches again only within a second. A request wakes it.
  private func wake(_ partition: KafkaPartition) {
    partition.mayBeStalled = false
    _ = client.watermarks(partition.number, within: 0.5)
  }

  private func readEvents() throws {
    for case .problem(let problem) in client.events() {
      if let error = problem.permanent(address) { throw error }
      lastProblem = problem
      for partition in partitions.values { partition.suspect() }
    }
  }

  /// The memory after which a poll takes no further message: the partitions share a part of what may be fetched.
  private var polledBytes: Int { max(1, min(1 << 20, settings.fetchBytes / 4) / count) }

  /// Takes messages out of librdkafka, each one by itself, so that it never waits for more than the first.
  private func take(_ partition: KafkaPartition, within seconds: Double) -> [BrokerMessage] {
    let (kafka, topic, number) = (client.kafka, client.topic, Int32(partition.number))
    var messages: [BrokerMessage] = []
    var (bytes, wait) = (0, Int32(seconds * 1_000))
    while messages.count < 1_000, bytes < polledBytes,
      let taken = kafka.pointee.rd_kafka_consume(topic, number, wait)
    {
      defer { kafka.pointee.rd_kafka_message_destroy(taken) }
      wait = 0
      guard taken.pointee.err == 0 else {
        note(taken.pointee, partition)
        return messages
      }
      guard taken.pointee.len + taken.pointee.key_len <= settings.messageBytes else {
        partition.failure = .messageTooLarge(
          address, at: "offset \(taken.pointee.offset) of partition \(partition.number)",
          bytes: taken.pointee.len + taken.pointee.key_len, limit: settings.messageBytes)
        return messages
      }
      let message = BrokerMessage(taken, kafka)
      if partition.isKnown(message, address) { continue }
      guard partition.failure == nil else { return [] }
      messages.append(message)
      bytes += message.byteCount
    }
    return messages
  }

  /// Notes the end of a partition, or an error of it.
  private func note(_ message: CBKafkaMessage, _ partition: KafkaPartition) {
    if Int(message.err) == cb_kafka_err_partition_eof {
      partition.reachEnd(message.offset)
      return
    }
    let problem = client.problem(message.err)
    lastProblem = problem
    switch problem.code {
    case cb_kafka_err_no_offset, cb_kafka_err_offset_out_of_range: partition.setOutOfRange()
    case cb_kafka_err_bad_msg, cb_kafka_err_bad_compression, cb_kafka_err_not_implemented:
      // librdkafka would skip what it cannot read.
      partition.failure = .brokerFailed(address, reason: problem.text)
    default:
      partition.failure = problem.permanent(address)
      if partition.failure == nil { partition.suspect() }
    }
  }

  // MARK: Reports

  func confirm(_ places: [PartitionPlace?]) -> String? { monitor.confirm(places) }

  func lag(after place: PartitionPlace?, in partition: Int) -> Int? {
    guard let ends = ends.latest, partition < ends.count else { return nil }
    return monitor.lag(after: place, in: partition, of: ends[partition])
  }

  func close() {
    client.stop()
    partitions = [:]
  }
}
