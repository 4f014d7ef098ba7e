import CBrokers
import OnePassCore

/// A value that Redis answers.
enum RedisValue {
  case text([UInt8])
  case integer(Int)
  case none
  case error(String)
  case array([RedisValue])

  var bytes: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
  var string: String? {
    bytes.map { bytes in
      // For every field of every message: most are plain.
      let plain = bytes.allSatisfy { $0 >= 32 && $0 != 127 } ? String(validating: bytes, as: UTF8.self) : nil
      return plain ?? String(escaping: bytes)
    }
  }
  var elements: [RedisValue]? { if case .array(let elements) = self { elements } else { nil } }
  var number: Int? { if case .integer(let number) = self { number } else { nil } }

  /// The value after a name in a list of names and values.
  subscript(name: String) -> RedisValue? {
    guard let elements, let index = elements.firstIndex(where: { $0.string == name }),
      index + 1 < elements.count
    else { return nil }
    return elements[index + 1]
  }
}

/// Parses replies as their bytes arrive.
///
/// The entries of a reply to XREAD are handed over one by one, so that a reply is never in memory as a whole.
final class RedisParser {
  private let parser: OpaquePointer
  /// The arrays that are not complete, from the outermost.
  private var open: [(elements: [RedisValue], missing: Int)] = []
  private var reply: RedisValue?
  /// Receives each element at ``entryDepth``, which then is not in the reply; `nil` if all of them are.
  var entry: ((RedisValue) -> Void)?

  /// In a reply to XREAD: the streams, a name with entries, the entries.
  private static let entryDepth = 3

  /// - Returns: `nil` without hiredis.
  init?() {
    guard let parser = cb_redis_parser_create() else { return nil }
    self.parser = parser
  }

  deinit { cb_redis_parser_free(parser) }

  /// Adds bytes of the server.
  func feed(_ bytes: UnsafeRawBufferPointer) {
    let count = bytes.count
    let isFed = cb_redis_parser_feed(parser, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count)
    precondition(isFed, "Out of memory while \(count) bytes of Redis were read.")
  }

  /// Returns the next complete reply; `nil` if more bytes are needed.
  /// - Throws: `ProtocolProblem` if the bytes are not Redis's protocol.
  func next() throws -> RedisValue? {
    let status = cb_redis_parser_parse(
      parser,
      { context, kind, bytes, count, number in
        guard let context else { return }
        let parser = Unmanaged<RedisParser>.fromOpaque(context).takeUnretainedValue()
        parser.take(kind, UnsafeRawBufferPointer(start: bytes, count: count), Int(number))
      }, Unmanaged.passUnretained(self).toOpaque())
    guard status >= 0 else { throw ProtocolProblem() }
    defer { if status > 0 { reply = nil } }
    return status > 0 ? reply ?? RedisValue.none : nil
  }

  struct ProtocolProblem: Error {}

  private func take(_ kind: CBRedisKind, _ bytes: UnsafeRawBufferPointer, _ number: Int) {
    switch kind {
    case CBRedisArray where number > 0:
      open.append(([], number))
      open[open.count - 1].elements.reserveCapacity(min(number, 8))
    case CBRedisArray: close(.array([]))
    case CBRedisInteger: close(.integer(number))
    case CBRedisError: close(.error(String(escaping: bytes)))
    case CBRedisText, CBRedisStatus: close(.text([UInt8](bytes)))
    default: close(.none)
    }
  }

  /// Puts a complete value into the array that it is an element of.
  private func close(_ value: RedisValue) {
    var value = value
    while !open.isEmpty {
      let last = open.count - 1
      if open.count == Self.entryDepth, let entry { entry(value) } else { open[last].elements.append(value) }
      open[last].missing -= 1
      guard open[last].missing == 0 else { return }
      value = .array(open.removeLast().elements)
    }
    reply = value
  }
}
