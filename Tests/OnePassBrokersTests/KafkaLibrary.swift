import CBrokers
import Foundation

@testable import OnePassBrokers

/// librdkafka in tests: its mock cluster, and functions that only tests use.
enum KafkaLibrary {
  nonisolated(unsafe) static let loaded: UnsafePointer<CBKafka>? = {
    var reason: UnsafePointer<CChar>?
    return cb_kafka(&reason)
  }()
  static let reason = "librdkafka is not installed."

  // It is loaded already.
  nonisolated(unsafe) private static let symbols = dlopen("librdkafka.so.1", RTLD_NOW)

  typealias Handle = UnsafeMutableRawPointer

  /// A function of librdkafka. The type must be its own.
  static func function<F>(_ name: String, _ type: F.Type) -> F {
    guard let found = dlsym(symbols, name) else { preconditionFailure("librdkafka has no \(name).") }
    return unsafeBitCast(found, to: type)
  }

  /// A client with properties, or `nil` if librdkafka refuses them.
  static func client(_ type: Int, _ properties: [String: String]) -> Handle? {
    guard let kafka = loaded?.pointee, let conf = kafka.rd_kafka_conf_new() else { return nil }
    for (name, value) in properties.merging(["log_level": "0"], uniquingKeysWith: { given, _ in given }) {
      _ = kafka.rd_kafka_conf_set(conf, name, value, nil, 0)
    }
    return kafka.rd_kafka_new(Int32(type), conf, nil, 0)
  }
}

/// librdkafka's cluster inside the process. It keeps the last 5 MB of a partition.
final class KafkaMock {
  private let owner: KafkaLibrary.Handle
  private let cluster: KafkaLibrary.Handle
  let servers: String

  struct Failure: Error {}

  init() throws {
    typealias New = @convention(c) (KafkaLibrary.Handle, Int32) -> KafkaLibrary.Handle?
    typealias Servers = @convention(c) (KafkaLibrary.Handle) -> UnsafePointer<CChar>
    guard let owner = KafkaLibrary.client(cb_kafka_producer, [:]),
      let cluster = KafkaLibrary.function("rd_kafka_mock_cluster_new", New.self)(owner, 1)
    else { throw Failure() }
    (self.owner, self.cluster) = (owner, cluster)
    servers = String(
      cString: KafkaLibrary.function("rd_kafka_mock_cluster_bootstraps", Servers.self)(cluster))
  }

  deinit {
    typealias Destroy = @convention(c) (KafkaLibrary.Handle) -> Void
    KafkaLibrary.function("rd_kafka_mock_cluster_destroy", Destroy.self)(cluster)
    KafkaLibrary.loaded?.pointee.rd_kafka_destroy_flags(owner, 0)
  }

  func address(_ topic: String) throws -> BrokerAddress { try BrokerAddress("kafka://\(servers)/\(topic)") }

  func create(_ topic: String, partitions: Int = 1) {
    typealias Create = @convention(c) (KafkaLibrary.Handle, UnsafePointer<CChar>, Int32, Int32) -> Int32
    _ = KafkaLibrary.function("rd_kafka_mock_topic_create", Create.self)(cluster, topic, Int32(partitions), 1)
  }

  func setDown(_ isDown: Bool) {
    typealias Set = @convention(c) (KafkaLibrary.Handle, Int32) -> Int32
    let name = isDown ? "rd_kafka_mock_broker_set_down" : "rd_kafka_mock_broker_set_up"
    _ = KafkaLibrary.function(name, Set.self)(cluster, -1)
  }

  /// Each answer takes a time.
  func delay(milliseconds: Int32) {
    typealias Set = @convention(c) (KafkaLibrary.Handle, Int32, Int32) -> Int32
    _ = KafkaLibrary.function("rd_kafka_mock_broker_set_rtt", Set.self)(cluster, -1, milliseconds)
  }

  /// The next requests of a kind fail with errors.
  func fail(_ request: Int16, with errors: [Int32]) {
    typealias Push = @convention(c) (KafkaLibrary.Handle, Int16, Int, UnsafePointer<Int32>) -> Void
    KafkaLibrary.function("rd_kafka_mock_push_request_errors_array", Push.self)(
      cluster, request, errors.count, errors)
  }

  /// The offset that a group has stored for a partition.
  func committed(_ group: String, _ topic: String, _ partition: Int32) -> Int64? {
    typealias Committed = @convention(c) (KafkaLibrary.Handle, KafkaLibrary.Handle, Int32) -> Int32
    typealias Find = @convention(c) (KafkaLibrary.Handle, UnsafePointer<CChar>, Int32) -> KafkaLibrary.Handle?
    guard let kafka = KafkaLibrary.loaded?.pointee,
      let client = KafkaLibrary.client(cb_kafka_consumer, ["bootstrap.servers": servers, "group.id": group]),
      let list = kafka.rd_kafka_topic_partition_list_new(1)
    else { return nil }
    defer {
      kafka.rd_kafka_topic_partition_list_destroy(list)
      kafka.rd_kafka_destroy_flags(client, Int32(cb_kafka_destroy_no_consumer_close))
    }
    _ = kafka.rd_kafka_topic_partition_list_add(list, topic, partition)
    guard KafkaLibrary.function("rd_kafka_committed", Committed.self)(client, list, 5_000) == 0 else {
      return nil
    }
    // The name and the number precede the offset.
    return KafkaLibrary.function("rd_kafka_topic_partition_list_find", Find.self)(list, topic, partition)?
      .load(fromByteOffset: 16, as: Int64.self)
  }
}
