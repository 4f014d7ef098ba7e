import OnePassCore

/// The examples of a ledger with the content of an earlier one.
///
/// The entries are sorted by their hashes in parts of bounded size, so that memory does not grow with the stream. Each part
/// is one reading of the ledger.
struct RepeatedContents {
  /// The number of examples with the content of an earlier one.
  private(set) var count = 0
  /// The first of them in stream order, each with the first position of its content.
  private(set) var first: [(position: Int, original: Int)] = []

  /// The maximum number of examples in `first`.
  static let listed = 1_000
  /// The number of entries that are sorted at a time, 64 MiB.
  static let entriesAtOnce = 1 << 22

  /// - Parameter atOnce: The approximate number of entries to sort at a time.
  /// - Throws: `OnePassError` (`io`, `badData`) if the ledger cannot be read.
  init(in ledger: LedgerFile, atOnce: Int = entriesAtOnce) throws {
    let parts = UInt64((ledger.count + atOnce - 1) / atOnce)
    var keys: [LedgerEntry.Key] = []
    for part in 0..<parts {
      keys.removeAll(keepingCapacity: true)
      keys.reserveCapacity(ledger.count / Int(parts) * 11 / 10)
      try ledger.forEachChunk { chunk in
        for offset in stride(from: 0, to: chunk.count, by: LedgerEntry.bytes) {
          let key = LedgerEntry.Key(chunk, at: offset)
          if key.part(of: parts) == part { keys.append(key) }
        }
      }
      keys.sort()
      note(keys)
    }
    first = Array(first.sorted { $0.position < $1.position }.prefix(Self.listed))
  }

  /// Adds the repetitions among sorted keys.
  private mutating func note(_ keys: [LedgerEntry.Key]) {
    var original = 0
    for index in keys.indices.dropFirst() {
      guard keys[index].hasContent(of: keys[original]) else {
        original = index
        continue
      }
      count += 1
      first.append((keys[index].position, keys[original].position))
      if first.count == 2 * Self.listed {
        first = Array(first.sorted { $0.position < $1.position }.prefix(Self.listed))
      }
    }
  }
}

extension LedgerEntry {
  /// An entry as two integers that sort by content, then by position.
  struct Key: Comparable {
    private let hash: UInt64
    /// The last 24 bits of the hash, then 40 bits of position.
    private let rest: UInt64

    /// - Precondition: `bytes` has an entry at `offset`.
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
      let low = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      let high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
      hash = (low >> 40) | (high << 24)
      rest = (high & ~Self.positions) | (low & Self.positions)
    }

    private static let positions: UInt64 = 1 << 40 - 1

    var position: Int { Int(rest & Self.positions) }

    func hasContent(of other: Key) -> Bool { hash == other.hash && rest >> 40 == other.rest >> 40 }

    /// The part of the hashes that this one belongs to, `0 ..< parts`.
    func part(of parts: UInt64) -> UInt64 { hash.multipliedFullWidth(by: parts).high }

    static func < (a: Key, b: Key) -> Bool { a.hash != b.hash ? a.hash < b.hash : a.rest < b.rest }
  }
}
