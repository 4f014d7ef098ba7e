extension BrokerSettings {
  /// The memory after which a poll takes no further message: a part of what may be fetched.
  ///
  /// It is below the 128 KiB of free memory that glibc returns to the system, whose pages would be cleared for the next poll.
  var polledBytes: Int { min(max(1, fetchBytes / 4), 1 << 16) }
  /// The number of messages after which a poll takes no further one, since empty messages have no bytes.
  static let polledMessages = 4_096
}
