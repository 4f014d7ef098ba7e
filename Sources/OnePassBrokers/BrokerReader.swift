import Foundation

/// A connection that reads one stream of a broker from places that the caller determines.
///
/// A reader belongs to one thread; only ``confirm(_:)`` and ``lag(after:in:)`` may be called from another one at the same time.
/// It never lets the broker choose where it starts: what a group has committed is ignored. It holds at most
/// ``BrokerSettings/fetchBytes`` of messages that were not polled, and at least one message.
package protocol BrokerReader: AnyObject {
  /// The number of partitions, 1 for a stream that has none. It may grow.
  ///
  /// - Throws: `OnePassError` (`io`) if the stream no longer exists.
  func partitionCount() throws -> Int

  /// What the broker has kept of a partition.
  func kept(_ partition: Int) throws -> KeptMessages

  /// Starts to read a partition, or reads on from elsewhere.
  /// - Parameter place: The last message that is not delivered; `nil` for the first message that was ever written.
  func seek(_ partition: Int, after place: PartitionPlace?) throws

  /// Waits for messages of a partition, in the order of their offsets.
  /// - Parameter seconds: The longest wait.
  /// - Throws: `OnePassError`: `io` if the broker cannot be reached for longer than ``BrokerSettings/patience`` or the stream was
  ///   deleted, `badData` if messages were removed before they were read (``OnePassError/messagesLost``).
  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages

  /// Reports to the broker what was trained and is durable, so that its own tools show how far the run is.
  ///
  /// - Parameter places: The place of each partition; `nil` where nothing was taken. A failure is not an error: it is returned
  ///   as a message for the user.
  func confirm(_ places: [PartitionPlace?]) -> String?

  /// The number of messages after a place, from what the broker has reported last; `nil` until it has answered for the first time.
  ///
  /// It does not wait: the broker is asked on another thread, at most every few seconds, and from the first ``seek(_:after:)`` on.
  func lag(after place: PartitionPlace?, in partition: Int) -> Int?

  /// Ends the connection.
  func close()
}

extension BrokerReader {
  /// ``lag(after:in:)``, waiting for the first answer of the broker.
  /// - Parameter seconds: The longest wait.
  package func lag(after place: PartitionPlace?, in partition: Int, waiting seconds: Double) -> Int? {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
      if let lag = lag(after: place, in: partition) { return lag }
      guard .now < end else { return nil }
      Thread.sleep(forTimeInterval: 0.01)
    }
  }
}

/// The result of a wait for messages.
package enum PolledMessages: Sendable {
  /// At least one message.
  case messages([BrokerMessage])
  /// The reader is at the end of the partition.
  case end
  /// Nothing arrived within the time, and it is unknown whether there is more.
  case nothing
}

/// A connection that writes to one stream of a broker.
package protocol BrokerWriter: AnyObject {
  /// Queues a message, and waits while the queue is full.
  /// - Parameter message: Its partition and offset are ignored; Kafka's partitions take turns.
  /// - Throws: `OnePassError` if a message was refused or the broker cannot be reached.
  func send(_ message: BrokerMessage) throws

  /// Waits until the broker has acknowledged every message.
  func flush() throws

  func close()
}

/// How a broker is used, apart from its address.
package struct BrokerSettings: Sendable {
  /// The name under which the broker is notified of what was trained.
  package var group = "onepass"
  /// The maximum memory of messages that were fetched and not polled, in bytes.
  package var fetchBytes = 16 << 20
  /// The largest message that is accepted, in bytes.
  package var messageBytes = 64 << 20
  /// How long the broker may be out of reach before that is an error, in seconds.
  package var patience = 60.0
  /// The lines of `--broker-config`, without those that the reader itself determines.
  package var properties: [String: String] = [:]

  package init() {}

  /// Removes a property and returns it, so that the ones left over are unknown.
  package mutating func take(_ name: String) -> String? { properties.removeValue(forKey: name) }
}
