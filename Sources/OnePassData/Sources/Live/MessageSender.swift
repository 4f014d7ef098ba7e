import Foundation
import OnePassBrokers
import OnePassCore

/// Sends the examples of a source to a stream of a broker, in the forms that ``LiveSource`` reads.
package struct MessageSender {
  private let form: MessageForm
  /// The names by which labels are sent; numbers if `nil`.
  private let classNames: [String]?
  private let keyIsLabel: Bool
  private let perMessage: Int
  private let writer: any BrokerWriter
  /// Of the attributes of a CloudEvent, by the bindings of CloudEvents 1.0.
  private let prefix: String

  /// - Parameters:
  ///   - address: The stream, which is created if it does not exist.
  ///   - form: How a message holds examples.
  ///   - perMessage: The number of examples in a tar file.
  ///   - keyIsLabel: Whether the label is the key of the message too.
  ///   - classNames: The names by which labels are sent; numbers if `nil`.
  /// - Throws: As ``BrokerAddress/openWriter(_:)``.
  package init(
    to address: BrokerAddress, _ settings: BrokerSettings, form: MessageForm, perMessage: Int = 1,
    keyIsLabel: Bool = false, classNames: [String]?
  ) throws {
    (self.form, self.perMessage, self.keyIsLabel, self.classNames) = (
      form, perMessage, keyIsLabel, classNames
    )
    prefix =
      switch address.kind {
      case .kafka, .redis: "ce_"
      case .nats, .inbox: "ce-"
      case .amqp: "cloudEvents:"
      }
    writer = try address.openWriter(settings)
  }

  /// What was sent.
  package struct Sent: Sendable {
    package var messages = 0
    package var examples = 0
    package var bytes = 0
  }

  /// Sends all examples of a source, and waits until the broker has acknowledged them.
  /// - Parameters:
  ///   - limit: The maximum number of examples.
  ///   - rate: The maximum number of examples per second; as fast as possible if `nil`.
  ///   - isStopped: Whether to end early.
  /// - Returns: What was acknowledged.
  package func send(
    _ source: any ExampleSource, limit: Int?, rate: Double?, isStopped: () -> Bool
  ) throws -> Sent {
    var sent = Sent()
    let start = ContinuousClock.now
    var batch: [Example] = []
    func sendBatch() throws {
      guard !batch.isEmpty else { return }
      let message = try message(of: batch)
      try writer.send(message)
      sent.messages += 1
      sent.examples += batch.count
      sent.bytes += message.body.count
      batch = []
    }
    while sent.examples + batch.count < limit ?? .max, !isStopped(), let example = try source.next() {
      batch.append(example)
      if batch.count == (form == .tar ? perMessage : 1) { try sendBatch() }
      guard let rate, sent.examples + batch.count < limit ?? .max else { continue }
      while !isStopped() {
        let left = Double(sent.examples) / rate - (ContinuousClock.now - start) / .seconds(1)
        guard left > 0 else { break }
        Thread.sleep(forTimeInterval: min(left, 0.1))
      }
    }
    try sendBatch()
    try writer.flush()
    return sent
  }

  private func label(_ example: Example) -> String { classNames?[example.label] ?? "\(example.label)" }

  private func message(of examples: [Example]) throws -> BrokerMessage {
    let first = examples[0]
    let label = Array(label(first).utf8)
    var message = BrokerMessage(offset: BrokerOffset(0), body: [])
    if keyIsLabel { message.key = label }
    switch form {
    case .image:
      message.body = try encodedFile(first.image)
      message.headers = [BrokerHeader(MessageMapping.labelName, label)]
    case .cloudevents:
      let file = try encodedFile(first.image)
      message.body = file
      message.headers = [
        ("\(prefix)specversion", "1.0"), ("\(prefix)id", "\(first.id)"), ("\(prefix)source", "onepass"),
        ("\(prefix)type", "image"), ("\(prefix)\(MessageMapping.labelName)", self.label(first)),
        (
          "content-type",
          ImageFormat(bytes: file).map { "image/\($0.rawValue.lowercased())" } ?? "application/octet-stream"
        ),
      ].map { BrokerHeader($0.0, Array($0.1.utf8)) }
    case .json:
      let object = [
        MessageMapping.imageName: Data(try encodedFile(first.image)).base64EncodedString(),
        MessageMapping.labelName: self.label(first),
      ]
      message.body = Array(try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]))
    case .tar:
      message.body = try TarWriter.bytes(
        of: examples.flatMap { example in
          let file = try encodedFile(example.image)
          return [
            ("\(example.id).\(imageExtension(of: file))", file),
            ("\(example.id).cls", Array(self.label(example).utf8)),
          ]
        })
    }
    return message
  }

  package func close() { writer.close() }
}
