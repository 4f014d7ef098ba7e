import OnePassBrokers

/// How the messages of a broker are read.
package struct LiveOptions: Sendable {
  package var form = MessageForm.image
  package var gaps = GapPolicy.stop
  /// The maximum share of messages that hold no example, 0 … 1.
  package var rejectedLimit = 0.1
  package var broker = BrokerSettings()

  package init() {}
}

/// A message that holds no example.
package struct RejectedMessage: Codable, Hashable, Sendable {
  /// The partition; `nil` for a stream without partitions.
  package let partition: Int?
  /// The offset, as the broker writes it.
  package let offset: String
  /// The number of examples delivered before it.
  package let position: Int
  /// Why it holds no example.
  package let reason: String

  /// Where it is, as text.
  var place: String { Self.place(partition, offset) }

  /// The place of a message as text.
  /// - Parameter partition: The partition; `nil` for a stream without partitions.
  static func place(_ partition: Int?, _ offset: String) -> String {
    (partition.map { "partition \($0), " } ?? "") + "offset \(offset)"
  }
}

/// Why a message holds no example.
struct MessageProblem: Error {
  /// The same words for all messages with this problem.
  let kind: String
  /// What was found in this one.
  var detail: String?

  init(_ kind: String, _ detail: String? = nil) { (self.kind, self.detail) = (kind, detail) }

  var text: String { detail.map { "\(kind): \($0)" } ?? kind }
}
