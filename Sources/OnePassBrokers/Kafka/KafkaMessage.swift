import CBrokers
import OnePassCore

extension BrokerMessage {
  /// A copy of a message of librdkafka.
  init(_ message: UnsafePointer<CBKafkaMessage>, _ kafka: UnsafePointer<CBKafka>) {
    let content = message.pointee
    self.init(
      offset: BrokerOffset(UInt64(content.offset)),
      body: Array(UnsafeRawBufferPointer(start: content.payload, count: content.len)))
    partition = Int(content.partition)
    if let bytes = content.key { key = Array(UnsafeRawBufferPointer(start: bytes, count: content.key_len)) }
    var list: UnsafeMutableRawPointer?
    guard kafka.pointee.rd_kafka_message_headers(message, &list) == 0, let list else { return }
    var name: UnsafePointer<CChar>?
    var value: UnsafeRawPointer?
    var size = 0
    while kafka.pointee.rd_kafka_header_get_all(list, headers.count, &name, &value, &size) == 0 {
      // An absent value has no address.
      let bytes = UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size)
      headers.append(BrokerHeader(KafkaClient.text(name), bytes))
    }
  }
}
