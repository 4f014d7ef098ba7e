import CXXHash
import OnePassBrokers

/// A message as it is stored in a segment of a ``Journal``.
///
/// | bytes | content, little-endian |
/// |---|---|
/// | 4 | `OPJ2` |
/// | 4 | n, the length of the payload |
/// | 8 | the number of the message |
/// | 8 | the first number of the messages that were written together with it; those before are on disk |
/// | 8 | XXH3-64 of the payload, seeded with the number |
/// | n | the payload: key, headers and body |
enum JournalRecord {
  static let headerBytes = 32
  static let magic: [UInt8] = Array("OPJ2".utf8)
  private static let noKey = UInt32.max

  /// What the header of a record says.
  struct Header {
    let payloadBytes: Int
    let number: UInt64
    /// The first number of its batch.
    let batch: UInt64
    let hash: UInt64

    var recordBytes: Int { headerBytes + payloadBytes }

    /// `nil` if the bytes are no header.
    init?(_ bytes: UnsafeRawBufferPointer) {
      guard bytes.count >= headerBytes, bytes.prefix(4).elementsEqual(magic) else { return nil }
      payloadBytes = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
      number = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      batch = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      hash = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self))
    }

    /// Whether the payload is the one that was written.
    func matches(_ payload: UnsafeRawBufferPointer) -> Bool { hash == JournalRecord.hash(payload, number) }
  }

  private static func hash(_ payload: UnsafeRawBufferPointer, _ number: UInt64) -> UInt64 {
    XXH3_64bits_withSeed(payload.baseAddress, payload.count, number)
  }

  // MARK: Writing

  /// Appends a record to `bytes`.
  static func append(_ payload: [UInt8], number: UInt64, batch: UInt64, to bytes: inout [UInt8]) {
    bytes += magic
    append(UInt32(payload.count), to: &bytes)
    append(number, to: &bytes)
    append(batch, to: &bytes)
    append(payload.withUnsafeBytes { hash($0, number) }, to: &bytes)
    bytes += payload
  }

  /// The key, the headers and the body of a message.
  static func payload(of message: BrokerMessage) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(message.byteCount + 64)
    append(message.key.map { UInt32($0.count) } ?? noKey, to: &bytes)
    bytes += message.key ?? []
    append(UInt16(message.headers.count), to: &bytes)
    for header in message.headers {
      append(UInt16(header.name.utf8.count), to: &bytes)
      bytes += header.name.utf8
      append(UInt32(header.value.count), to: &bytes)
      bytes += header.value
    }
    return bytes + message.body
  }

  private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
  }

  // MARK: Reading

  /// The message of a payload; `nil` if its lengths contradict each other.
  static func message(_ number: UInt64, _ payload: UnsafeRawBufferPointer) -> BrokerMessage? {
    var rest = payload[...]
    func take(_ count: Int) -> [UInt8]? {
      guard count <= rest.count else { return nil }
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    func integer<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
      take(MemoryLayout<Number>.size)?.reversed().reduce(0) { $0 << 8 | Number($1) }
    }
    guard let keyBytes = integer(UInt32.self) else { return nil }
    var message = BrokerMessage(offset: BrokerOffset(number), body: [])
    if keyBytes != noKey {
      guard let key = take(Int(keyBytes)) else { return nil }
      message.key = key
    }
    guard let count = integer(UInt16.self) else { return nil }
    for _ in 0..<count {
      guard let nameBytes = integer(UInt16.self), let name = take(Int(nameBytes)),
        let valueBytes = integer(UInt32.self), let value = take(Int(valueBytes))
      else { return nil }
      message.headers.append(BrokerHeader(String(decoding: name, as: UTF8.self), value))
    }
    message.body = Array(rest)
    return message
  }
}
