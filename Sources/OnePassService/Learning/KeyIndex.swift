import Foundation
import OnePass
import OnePassCore
import OnePassReplay
import Synchronization

/// The keys of accepted examples with their positions, for the last ones.
///
/// The journal holds the keys of its messages. Those of segments that were removed are in a file of rows of 32 bytes.
final class KeyIndex: Sendable {
  enum Entry {
    case known(Int)
    /// The example is being written.
    case begun(Task<Int, any Error>, isMine: Bool)
  }

  private enum Stored {
    case position(Int, digest: UInt64)
    case task(Task<Int, any Error>, digest: UInt64)

    var digest: UInt64 {
      switch self {
      case .position(_, let digest), .task(_, let digest): digest
      }
    }
  }

  private struct State {
    var entries: [ContentHash: Stored] = [:]
    /// The keys in the order of their positions.
    var order: ArraySlice<(key: ContentHash, position: Int)> = []
  }

  private let path: String
  private let limit: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - folder: The folder of the journal.
  ///   - limit: The number of keys that are remembered.
  init(_ folder: String, limit: Int) throws {
    (path, self.limit) = ("\(folder)/keys", limit)
    for row in FileManager.default.contents(atPath: path).map(KeyRow.rows) ?? [] {
      insert(row.key, row.position, row.digest)
    }
  }

  private static func hash(_ key: String) -> ContentHash {
    Array(key.utf8).withUnsafeBytes { ContentHash(of: $0) }
  }

  func restore(_ key: String, _ position: Int, _ digest: UInt64) { insert(Self.hash(key), position, digest) }

  private func insert(_ key: ContentHash, _ position: Int, _ digest: UInt64) {
    state.withLock { state in
      state.entries[key] = .position(position, digest: digest)
      state.order.append((key, position))
      while state.order.count > limit, let old = state.order.popFirst() {
        if case .position(old.position, _)? = state.entries[old.key] { state.entries[old.key] = nil }
      }
    }
  }

  /// Returns what is known of a key, or begins to write its example.
  /// - Throws: ``InboxProblem/keyReused``.
  func entry(
    for key: String, digest: UInt64, begin: () -> Task<Int, any Error>
  ) throws(InboxProblem) -> Entry {
    let hash = Self.hash(key)
    let result: Result<Entry, InboxProblem> = state.withLock { state in
      guard let stored = state.entries[hash] else {
        let task = begin()
        state.entries[hash] = .task(task, digest: digest)
        return .success(.begun(task, isMine: true))
      }
      guard stored.digest == digest else { return .failure(.keyReused) }
      switch stored {
      case .position(let position, _): return .success(.known(position))
      case .task(let task, _): return .success(.begun(task, isMine: false))
      }
    }
    return try result.get()
  }

  /// - Throws: ``InboxProblem/keyReused``.
  func position(of key: String, digest: UInt64) throws(InboxProblem) -> Int? {
    guard case .position(let position, let known)? = state.withLock({ $0.entries[Self.hash(key)] }) else {
      return nil
    }
    guard known == digest else { throw .keyReused }
    return position
  }

  func finish(_ key: String, _ position: Int) {
    let hash = Self.hash(key)
    let digest = state.withLock { $0.entries[hash]?.digest ?? 0 }
    insert(hash, position, digest)
  }

  func forget(_ key: String) { state.withLock { $0.entries[Self.hash(key)] = nil } }

  /// Writes the keys before a position to the file.
  func save(before position: Int) throws {
    let rows = state.withLock { state in
      state.order.filter { $0.position < position }.compactMap { key, position -> KeyRow? in
        guard case .position(position, let digest)? = state.entries[key] else { return nil }
        return KeyRow(key: key, position: position, digest: digest)
      }
    }
    try DurableFile.write(KeyRow.data(rows), to: path)
  }
}

/// A key in the file: its hash, its position and the digest of its example.
private struct KeyRow {
  let key: ContentHash
  let position: Int
  let digest: UInt64

  private static let bytes = 32

  static func data(_ rows: [KeyRow]) -> Data {
    var data = Data(capacity: rows.count * bytes)
    for row in rows {
      for number in [row.key.high, row.key.low, UInt64(row.position), row.digest] {
        withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
      }
    }
    return data
  }

  static func rows(_ data: Data) -> [KeyRow] {
    data.withUnsafeBytes { bytes in
      (0..<bytes.count / Self.bytes).map { row in
        func number(_ column: Int) -> UInt64 {
          UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: row * Self.bytes + column * 8, as: UInt64.self))
        }
        return KeyRow(
          key: ContentHash(high: number(0), low: number(1)), position: Int(clamping: number(2)),
          digest: number(3))
      }
    }
  }
}
