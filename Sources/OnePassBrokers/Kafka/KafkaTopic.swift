import CBrokers
import Foundation
import OnePassCore

extension KafkaClient {
  /// Creates the topic, and waits until it can be written.
  /// - Returns: The number of its partitions.
  func createTopic(partitions: Int, _ settings: BrokerSettings) throws -> Int {
    var reason = [CChar](repeating: 0, count: 512)
    guard
      let new = kafka.pointee.rd_kafka_NewTopic_new(
        address.stream, Int32(partitions), 1, &reason, reason.count)
    else { throw OnePassError.kafkaTopicNotCreated(address, reason: Self.text(reason)) }
    defer { kafka.pointee.rd_kafka_NewTopic_destroy(new) }
    let answers = kafka.pointee.rd_kafka_queue_new(handle)
    defer { kafka.pointee.rd_kafka_queue_destroy(answers) }
    var topics: UnsafeMutableRawPointer? = new
    kafka.pointee.rd_kafka_CreateTopics(handle, &topics, 1, nil, answers)
    guard let answer = kafka.pointee.rd_kafka_queue_poll(answers, 10_000) else {
      throw OnePassError.kafkaTopicNotCreated(address, reason: "no answer")
    }
    defer { kafka.pointee.rd_kafka_event_destroy(answer) }
    if let problem = creationProblem(answer) {
      throw problem.permanent(address)
        ?? .kafkaTopicNotCreated(address, reason: problem.text)
    }
    let end = ContinuousClock.now + .seconds(10)
    while true {
      if let count = try connect(settings) { return count }
      guard .now < end else { throw OnePassError.kafkaTopicNotCreated(address, reason: "no answer") }
      Thread.sleep(forTimeInterval: 0.1)
    }
  }

  private func creationProblem(_ answer: UnsafeMutableRawPointer) -> KafkaProblem? {
    let code = kafka.pointee.rd_kafka_event_error(answer)
    guard code == 0 else {
      return KafkaProblem(code: Int(code), text: Self.text(kafka.pointee.rd_kafka_event_error_string(answer)))
    }
    var count = 0
    guard let result = kafka.pointee.rd_kafka_event_CreateTopics_result(answer),
      let created = kafka.pointee.rd_kafka_CreateTopics_result_topics(result, &count)?.pointee
    else { return nil }
    let outcome = kafka.pointee.rd_kafka_topic_result_error(created)
    // Another writer may have created it in the meantime.
    guard outcome != 0, Int(outcome) != cb_kafka_err_topic_already_exists else { return nil }
    let text = kafka.pointee.rd_kafka_topic_result_error_string(created).map { String(cString: $0) }
    return KafkaProblem(code: Int(outcome), text: text ?? problem(outcome).text)
  }

  /// librdkafka's list of headers, which the caller owns.
  func headers(_ headers: [BrokerHeader]) -> UnsafeMutableRawPointer? {
    let list = kafka.pointee.rd_kafka_headers_new(headers.count)
    for header in headers {
      header.value.withUnsafeBytes {
        // The length -1 means a C string.
        _ = kafka.pointee.rd_kafka_header_add(list, header.name, -1, $0.baseAddress, $0.count)
      }
    }
    return list
  }
}
