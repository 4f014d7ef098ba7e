import Foundation
import OnePassCore

/// An index file beside shards, with the number of examples in each shard and optionally the classes.
///
/// The format is that of wids in the webdataset library, with `classes` added.
struct ShardIndex: Codable, Equatable {
  var kind = ShardIndex.knownKind
  var version = 1
  var shards: [Shard]
  /// The class names in label order.
  var classes: [String]?

  struct Shard: Codable, Equatable {
    /// The shard's path, of which the last components count.
    var url: String
    var nsamples: Int
    /// The size of the shard in bytes.
    var filesize: Int?
  }

  /// The key that distinguishes an index from other JSON files.
  private struct Header: Decodable {
    let kind: String
    enum CodingKeys: String, CodingKey {
      case kind = "__kind__"
    }
  }

  static let knownKind = "wids-shard-index-v1"

  enum CodingKeys: String, CodingKey {
    case kind = "__kind__"
    case version = "wids_version"
    case shards = "shardlist"
    case classes
  }

  /// The index in a file; `nil` if the file does not exist or is not an index.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is a damaged index.
  static func read(_ path: String) throws -> ShardIndex? {
    guard existence(of: path).exists else { return nil }
    let file = try OpenFile(reading: path)
    let size = try file.size()
    let most = DecodeMemory.shared.sourceShare / bytesPerByte
    guard size <= most else {
      guard isIndex(Data(try file.bytes(at: 0, count: startBytes))) else { return nil }
      throw tooLarge(path, size, most)
    }
    return try decode(Data(try file.bytes(at: 0, count: size)), path)
  }

  /// The index at an address; `nil` if it does not exist, access is denied, or it is not an index.
  /// - Throws: The errors of `read`.
  static func fetch(
    _ address: HTTPAddress, limits: HTTPLimits, memory: DecodeMemory = .shared
  ) throws -> ShardIndex? {
    let input = HTTPInput(address, limits: limits)
    var data = Data()
    let most = memory.sourceShare / bytesPerByte
    let part = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { part.deallocate() }
    do throws(ReadFailure) {
      while case let got = try input.read(into: part), got > 0 {
        data += part.prefix(got)
        // A server may answer with anything, and without an end.
        guard mayBeObject(data) else { return nil }
        guard data.count <= most else { break }
      }
    } catch {
      if input.isRefused { return nil }
      throw error.error(in: "\(address)", at: .start)
    }
    guard data.count <= most else {
      guard isIndex(data) else { return nil }
      throw tooLarge("\(address)", data.count, most)
    }
    let reservation = memory.reserveSource(bytesPerByte * data.count)
    defer { withExtendedLifetime(reservation) {} }
    return try decode(data, "\(address)")
  }

  private static func tooLarge(_ name: String, _ bytes: Int, _ limit: Int) -> OnePassError {
    .exceedsDecodeMemory(name, "the index", bytes: bytes, limit: limit)
  }

  /// An index and what it is parsed to, per byte of the index.
  private static let bytesPerByte = 4

  /// Whether the data can be the start of a JSON object.
  private static func mayBeObject(_ data: Data) -> Bool {
    let first = data.prefix(startBytes).first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    return first.map { $0 == UInt8(ascii: "{") } ?? (data.count < startBytes)
  }

  /// The bytes at the start among which a large index states its kind.
  private static let startBytes = 1 << 16

  /// Whether the start of a large file states the kind of an index.
  private static func isIndex(_ data: Data) -> Bool {
    data.prefix(startBytes).range(of: Data(knownKind.utf8)) != nil
  }

  private static func decode(_ data: Data, _ path: String) throws -> ShardIndex? {
    guard let header = try? JSONDecoder().decode(Header.self, from: data), header.kind == knownKind else {
      return nil
    }
    do {
      let index = try JSONDecoder().decode(ShardIndex.self, from: data)
      guard index.version == 1, index.shards.allSatisfy({ $0.nsamples >= 0 }) else {
        throw CocoaError(.fileReadCorruptFile)
      }
      return index
    } catch {
      throw OnePassError.damagedIndex(path, cause: error)
    }
  }

  /// The number of examples in each shard; `nil` if the index does not list all of them, or does not distinguish them.
  ///
  /// A shard is the entry with the same file name. Among several such entries it is the one with the most folders in common;
  /// if there is none, the entries of an index that lists the same file names in the same order are the shards.
  func counts(of shards: [String]) -> [Int]? {
    let entries = Dictionary(grouping: self.shards) { Self.components($0.url).last ?? "" }
    let counts = shards.compactMap { shard -> Int? in
      let path = Self.components(shard)
      let found = entries[path.last ?? ""] ?? []
      let common = found.map { Self.commonEnd(path, Self.components($0.url)) }
      let best = zip(found, common).filter { $0.1 == common.max() }.map(\.0.nsamples)
      return Set(best).count == 1 ? best[0] : nil
    }
    if counts.count == shards.count { return counts }
    let isSameOrder =
      shards.map { Self.components($0).last } == self.shards.map { Self.components($0.url).last }
    return isSameOrder ? self.shards.map(\.nsamples) : nil
  }

  private static func components(_ path: String) -> [Substring] {
    let path = HTTPAddress.isMeant(by: path) ? path.prefix { $0 != "?" } : path[...]
    return path.split(separator: "/")
  }

  private static func commonEnd(_ a: [Substring], _ b: [Substring]) -> Int {
    zip(a.reversed(), b.reversed()).prefix { $0 == $1 }.count
  }

  /// The path of a shard in an index: from the index's folder if it is below, otherwise the file name.
  static func url(of shard: String, in index: String) -> String {
    let folder = index.lastIndex(of: "/").map { index[...$0] } ?? ""
    if shard.hasPrefix(folder), !shard.hasPrefix("/") || !folder.isEmpty {
      return String(shard.dropFirst(folder.count))
    }
    return String(components(shard).last ?? "")
  }
}
