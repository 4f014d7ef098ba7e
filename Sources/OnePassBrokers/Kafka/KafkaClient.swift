import CBrokers
import OnePassCore

/// A client of librdkafka for one topic. Events and fetches belong to one thread, all else to any.
final class KafkaClient: @unchecked Sendable {
  let kafka: UnsafePointer<CBKafka>
  /// rd_kafka_t and rd_kafka_topic_t.
  let handle: UnsafeMutableRawPointer
  let topic: UnsafeMutableRawPointer
  let address: BrokerAddress
  private let queue: UnsafeMutableRawPointer
  /// The partitions that are fetched.
  private var started: Set<Int32> = []

  enum Role { case reader, writer }

  /// Starts to connect.
  /// - Parameter values: librdkafka's properties.
  init(
    _ role: Role, _ address: BrokerAddress, _ configuration: KafkaConfiguration, _ values: [String: String]
  ) throws {
    var failure: UnsafePointer<CChar>?
    guard let kafka = cb_kafka(&failure) else {
      throw OnePassError.noClientLibrary(
        address, "librdkafka", package: "librdkafka1", reason: Self.text(failure))
    }
    let properties = try configuration.made(kafka, values)
    kafka.pointee.rd_kafka_conf_set_events(properties, Int32(cb_kafka_event_error | cb_kafka_event_dr))
    var reason = [CChar](repeating: 0, count: 512)
    let type = role == .reader ? cb_kafka_consumer : cb_kafka_producer
    guard let handle = kafka.pointee.rd_kafka_new(Int32(type), properties, &reason, reason.count) else {
      kafka.pointee.rd_kafka_conf_destroy(properties)
      throw OnePassError.kafkaPropertiesRefused(reason: Self.text(reason))
    }
    guard let topic = kafka.pointee.rd_kafka_topic_new(handle, address.stream, nil),
      let queue = kafka.pointee.rd_kafka_queue_get_main(handle)
    else {
      let reason = Self.text(kafka.pointee.rd_kafka_err2str(kafka.pointee.rd_kafka_last_error()))
      kafka.pointee.rd_kafka_destroy_flags(handle, 0)
      throw OnePassError.brokerFailed(address, reason: reason)
    }
    (self.kafka, self.handle, self.topic, self.queue, self.address) = (kafka, handle, topic, queue, address)
  }

  deinit {
    // librdkafka waits for partitions that are still fetched.
    stop()
    kafka.pointee.rd_kafka_topic_destroy(topic)
    kafka.pointee.rd_kafka_queue_destroy(queue)
    // Nothing was joined, so there is no group to leave.
    kafka.pointee.rd_kafka_destroy_flags(handle, Int32(cb_kafka_destroy_no_consumer_close))
  }

  static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  static func text(_ words: UnsafePointer<CChar>?) -> String {
    words.map { String(cString: $0) } ?? "no reason"
  }

  func problem(_ code: Int32) -> KafkaProblem {
    KafkaProblem(code: Int(code), text: Self.text(kafka.pointee.rd_kafka_err2str(code)))
  }

  // MARK: Events

  /// The events that have happened.
  /// - Parameter milliseconds: How long to wait for the first.
  func events(within milliseconds: Int32 = 0) -> [KafkaEvent] {
    var events: [KafkaEvent] = []
    var wait = milliseconds
    while let event = kafka.pointee.rd_kafka_queue_poll(queue, wait) {
      defer { kafka.pointee.rd_kafka_event_destroy(event) }
      wait = 0
      if Int(kafka.pointee.rd_kafka_event_type(event)) == cb_kafka_event_error {
        events.append(.problem(problem(of: event)))
      }
      while let message = kafka.pointee.rd_kafka_event_message_next(event)?.pointee {
        if message.err != 0 {
          events.append(.refused(bytes: message.len + message.key_len, problem(message.err)))
        }
      }
    }
    return events
  }

  private func problem(of event: UnsafeMutableRawPointer) -> KafkaProblem {
    var reason = [CChar](repeating: 0, count: 512)
    let code = kafka.pointee.rd_kafka_event_error(event)
    guard Int(code) == cb_kafka_err_fatal else {
      return KafkaProblem(code: Int(code), text: Self.text(kafka.pointee.rd_kafka_event_error_string(event)))
    }
    _ = kafka.pointee.rd_kafka_fatal_error(handle, &reason, reason.count)
    return KafkaProblem(code: Int(code), text: Self.text(reason))
  }

  // MARK: Fetches

  /// Fetches a partition from an offset, without what was fetched before.
  func fetch(_ partition: Int, from offset: Int64) throws {
    let number = Int32(partition)
    if started.remove(number) != nil { _ = kafka.pointee.rd_kafka_consume_stop(topic, number) }
    guard kafka.pointee.rd_kafka_consume_start(topic, number, offset) == 0 else {
      let problem = problem(kafka.pointee.rd_kafka_last_error())
      throw OnePassError.brokerFailed(address, reason: problem.text)
    }
    started.insert(number)
  }

  func stop() {
    for partition in started { _ = kafka.pointee.rd_kafka_consume_stop(topic, partition) }
    started = []
  }

  // MARK: The topic

  /// The number of partitions; `nil` if there is no such topic.
  func partitionCount(within seconds: Double) -> Result<Int?, KafkaProblem> {
    var metadata: UnsafePointer<CBKafkaMetadata>?
    let code = kafka.pointee.rd_kafka_metadata(handle, 0, topic, &metadata, Int32(seconds * 1_000))
    guard code == 0, let metadata else { return .failure(problem(code)) }
    defer { kafka.pointee.rd_kafka_metadata_destroy(metadata) }
    guard metadata.pointee.topic_cnt == 1, let found = metadata.pointee.topics?.pointee else {
      return .success(nil)
    }
    let failure = problem(found.err)
    guard !failure.isMissing else { return .success(nil) }
    return found.err == 0 ? .success(Int(found.partition_cnt)) : .failure(failure)
  }

  /// Waits for the broker, for at most 10 seconds.
  /// - Returns: The number of partitions; `nil` if there is no such topic.
  func connect(_ settings: BrokerSettings) throws -> Int? {
    let end = ContinuousClock.now + .seconds(min(10, settings.patience))
    var last: KafkaProblem?
    while true {
      switch partitionCount(within: 0.5) {
      case .success(let count): return count
      case .failure(let problem):
        if let denied = problem.permanent(address) { throw denied }
        last = last ?? problem
      }
      for case .problem(let problem) in events(within: 50) {
        if let denied = problem.permanent(address) { throw denied }
        // That all brokers are down says less than why.
        if problem.code != cb_kafka_err_all_brokers_down { last = problem }
      }
      guard .now < end else {
        throw OnePassError.brokerUnreachable(address, reason: last?.text ?? "no answer")
      }
    }
  }

  /// The first offset of a partition, and the one after its last message that is committed.
  func watermarks(_ partition: Int, within seconds: Double) -> Result<Range<Int64>, KafkaProblem> {
    // librdkafka 2.0 waits for a broker that does not answer for longer than the given time, up to `socket.timeout.ms`.
    let ends = result(within: seconds) { [self] in awaitWatermarks(partition, within: seconds) }
    return ends ?? .failure(problem(Int32(cb_kafka_err_timed_out)))
  }

  private func awaitWatermarks(_ partition: Int, within seconds: Double)
    -> Result<Range<Int64>, KafkaProblem>
  {
    // Without metadata of the broker, the next call would wait until the broker is within reach.
    switch partitionCount(within: seconds) {
    case .failure(let problem): return .failure(problem)
    case .success(nil): return .failure(problem(Int32(cb_kafka_err_unknown_topic)))
    case .success: break
    }
    var (low, high) = (Int64(0), Int64(0))
    let code = kafka.pointee.rd_kafka_query_watermark_offsets(
      handle, address.stream, Int32(partition), &low, &high, Int32(seconds * 1_000))
    return code == 0 ? .success(low..<max(low, high)) : .failure(problem(code))
  }

  /// Stores the offsets of a group, without joining it.
  /// - Parameter offsets: The next offset of each partition.
  func commit(_ offsets: [(partition: Int, next: Int64)], within seconds: Double) -> KafkaProblem? {
    let list = kafka.pointee.rd_kafka_topic_partition_list_new(Int32(offsets.count))
    defer { kafka.pointee.rd_kafka_topic_partition_list_destroy(list) }
    for (partition, next) in offsets {
      _ = kafka.pointee.rd_kafka_topic_partition_list_add(list, address.stream, Int32(partition))
      _ = kafka.pointee.rd_kafka_topic_partition_list_set_offset(list, address.stream, Int32(partition), next)
    }
    let answers = kafka.pointee.rd_kafka_queue_new(handle)
    defer { kafka.pointee.rd_kafka_queue_destroy(answers) }
    let code = kafka.pointee.rd_kafka_commit_queue(handle, list, answers, nil, nil)
    guard code == 0 else { return problem(code) }
    guard let answer = kafka.pointee.rd_kafka_queue_poll(answers, Int32(seconds * 1_000)) else {
      return problem(Int32(cb_kafka_err_timed_out))
    }
    defer { kafka.pointee.rd_kafka_event_destroy(answer) }
    let outcome = kafka.pointee.rd_kafka_event_error(answer)
    return outcome == 0 ? nil : problem(outcome)
  }
}
