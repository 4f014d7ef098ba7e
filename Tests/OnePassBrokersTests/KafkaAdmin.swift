import CBrokers
import Foundation

@testable import OnePassBrokers

/// Changes of topics, and transactions, which only tests make.
final class KafkaAdmin {
  typealias Handle = KafkaLibrary.Handle

  struct Failure: Error { let words: String }

  private let kafka: CBKafka
  private let client: Handle

  /// - Parameter transactions: The id of a writer of transactions; `nil` for a client that makes none.
  init(_ servers: String, transactions: String? = nil) throws {
    var properties = ["bootstrap.servers": servers]
    properties["transactional.id"] = transactions
    guard let kafka = KafkaLibrary.loaded?.pointee,
      let client = KafkaLibrary.client(cb_kafka_producer, properties)
    else { throw Failure(words: "no client") }
    (self.kafka, self.client) = (kafka, client)
    guard transactions != nil else { return }
    typealias Init = @convention(c) (Handle, Int32) -> Handle?
    try check(KafkaLibrary.function("rd_kafka_init_transactions", Init.self)(client, 5_000))
  }

  deinit { kafka.rd_kafka_destroy_flags(client, 0) }

  // MARK: Topics

  private typealias Operation =
    @convention(c) (Handle, UnsafeMutablePointer<Handle?>, Int, Handle?, Handle?) -> Void

  private func perform(_ name: String, _ argument: Handle?) throws {
    let answers = kafka.rd_kafka_queue_new(client)
    defer { kafka.rd_kafka_queue_destroy(answers) }
    var argument = argument
    KafkaLibrary.function(name, Operation.self)(client, &argument, 1, nil, answers)
    guard let answer = kafka.rd_kafka_queue_poll(answers, 5_000) else {
      throw Failure(words: "\(name): no answer")
    }
    defer { kafka.rd_kafka_event_destroy(answer) }
    guard kafka.rd_kafka_event_error(answer) == 0 else {
      throw Failure(words: "\(name): \(KafkaClient.text(kafka.rd_kafka_event_error_string(answer)))")
    }
  }

  func grow(_ topic: String, to count: Int) throws {
    typealias New = @convention(c) (UnsafePointer<CChar>, Int, UnsafeMutablePointer<CChar>?, Int) -> Handle?
    try perform(
      "rd_kafka_CreatePartitions",
      KafkaLibrary.function("rd_kafka_NewPartitions_new", New.self)(topic, count, nil, 0))
  }

  // MARK: Transactions

  /// Writes numbers to partition 0 in a transaction.
  func transaction(_ numbers: Range<Int>, to topic: String, isCommitted: Bool) throws {
    typealias Begin = @convention(c) (Handle) -> Handle?
    typealias End = @convention(c) (Handle, Int32) -> Handle?
    try check(KafkaLibrary.function("rd_kafka_begin_transaction", Begin.self)(client))
    let handle = kafka.rd_kafka_topic_new(client, topic, nil)
    defer { kafka.rd_kafka_topic_destroy(handle) }
    for number in numbers {
      let body = Array("\(number)".utf8)
      let code = withUnsafePointer(to: kafka) {
        cb_kafka_produce($0, client, handle, 0, body, body.count, nil, 0, nil)
      }
      guard code == 0 else { throw Failure(words: "produce: \(code)") }
    }
    // Otherwise the abort drops what is still queued.
    _ = kafka.rd_kafka_flush(client, 5_000)
    let name = isCommitted ? "rd_kafka_commit_transaction" : "rd_kafka_abort_transaction"
    try check(KafkaLibrary.function(name, End.self)(client, 5_000))
  }

  private func check(_ error: Handle?) throws {
    guard let error else { return }
    typealias Words = @convention(c) (Handle) -> UnsafePointer<CChar>
    throw Failure(words: String(cString: KafkaLibrary.function("rd_kafka_error_string", Words.self)(error)))
  }
}
