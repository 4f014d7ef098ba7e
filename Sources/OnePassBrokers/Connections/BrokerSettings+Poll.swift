extension BrokerSettings {
  /// The memory after which a poll takes no further message: a part of what may be fetched, and so small that the messages are in
  /// the processor's cache when they are used.
  var polledBytes: Int { min(max(1, fetchBytes / 4), 1 << 18) }
  /// The number of messages after which a poll takes no further one, since empty messages have no bytes.
  static let polledMessages = 4_096
}
