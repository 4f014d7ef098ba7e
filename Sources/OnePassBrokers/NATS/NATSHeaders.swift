import Foundation

/// The headers of a NATS message, whose values are lines of text.
///
/// A value that a line cannot represent is percent-encoded, as extended parameters of HTTP are (RFC 8187): the header has an
/// asterisk after the name, and the value starts with two quotation marks: `label*: ''%00%FF`. An empty value is among them, since
/// nats.c 3.4.1 reads the next header as its value. The key of a message is its header ``keyName``.
enum NATSHeaders {
  static let keyName = "key"
  /// The charset and the language, both not given.
  private static let mark = "''"

  static func encode(_ header: BrokerHeader) -> (name: String, value: String) {
    if isLine(header.value), !header.name.hasSuffix("*") {
      return (header.name, String(decoding: header.value, as: UTF8.self))
    }
    return (header.name + "*", mark + percentEncoded(header.value))
  }

  static func decode(_ name: String, _ value: [UInt8]) -> BrokerHeader {
    guard name.hasSuffix("*"), value.starts(with: mark.utf8),
      let decoded = percentDecoded(value.dropFirst(mark.utf8.count))
    else { return BrokerHeader(name, value) }
    return BrokerHeader(String(name.dropLast()), decoded)
  }

  /// Whether a name can be sent: visible ASCII without a colon.
  static func isValid(name: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
  }

  /// Whether a value arrives unchanged: servers and libraries remove spaces at both ends.
  private static func isLine(_ value: [UInt8]) -> Bool {
    guard let first = value.first, first > 0x20, let last = value.last, last > 0x20 else { return false }
    return value.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && String(validating: value, as: UTF8.self) != nil
  }

  private static let digits = Array("0123456789ABCDEF".utf8)

  private static func percentEncoded(_ bytes: [UInt8]) -> String {
    String(
      decoding: bytes.flatMap { [UInt8(ascii: "%"), digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }

  private static func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var (result, rest) = ([UInt8](), text)
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        result.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else {
        return nil
      }
      result.append(value)
      rest = rest.dropFirst(2)
    }
    return result
  }
}

/// What the reply subject of a message of JetStream contains.
struct DeliverySubject {
  /// The sequences of the stream and of the consumer.
  let stream, consumer: UInt64
  /// The number of messages that follow.
  let pending: UInt64

  /// Parses `$JS.ACK.STREAM.CONSUMER.DELIVERED.STREAMSEQ.CONSUMERSEQ.TIME.PENDING`, in newer servers with the domain and the
  /// account before the stream.
  init?(_ subject: UnsafePointer<CChar>) {
    let bytes = UnsafeBufferPointer(start: subject, count: strlen(subject)).lazy.map { UInt8(bitPattern: $0) }
    guard bytes.starts(with: "$JS.ACK.".utf8) else { return nil }
    // The words as numbers; this runs for every message.
    var words: [UInt64?] = [0]
    words.reserveCapacity(12)
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "."): words.append(0)
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        words[words.count - 1] = words.last?.flatMap { $0.appending(byte - UInt8(ascii: "0")) }
      default: words[words.count - 1] = nil
      }
    }
    let start = words.count == 9 ? 2 : 4
    guard words.count >= start + 7, let stream = words[start + 3], let consumer = words[start + 4],
      let pending = words[start + 6]
    else { return nil }
    (self.stream, self.consumer, self.pending) = (stream, consumer, pending)
  }
}

extension UInt64 {
  /// The number with a further decimal digit; `nil` if it is too large.
  fileprivate func appending(_ digit: UInt8) -> UInt64? {
    let (product, hasOverflow) = multipliedReportingOverflow(by: 10)
    let (sum, isTooLarge) = product.addingReportingOverflow(UInt64(digit))
    return hasOverflow || isTooLarge ? nil : sum
  }
}
