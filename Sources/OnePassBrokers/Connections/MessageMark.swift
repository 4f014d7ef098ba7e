/// Recognises a message by its length, its ends, its key and its headers, at no cost for large ones.
struct MessageMark: Equatable {
  private let hash: Int

  init(_ message: BrokerMessage) {
    var hasher = Hasher()
    hasher.combine(message.body.count)
    message.body.withUnsafeBytes {
      hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(1_024)))
      hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.suffix(1_024)))
    }
    hasher.combine(message.key)
    hasher.combine(message.headers)
    hash = hasher.finalize()
  }
}
