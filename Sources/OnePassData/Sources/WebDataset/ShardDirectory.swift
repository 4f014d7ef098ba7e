import OnePassCore

/// The names and places of all files in an uncompressed shard, read from its headers.
///
/// It is made only for a shard with links, or one whose samples are not adjacent. Memory: the names and 60 bytes per entry.
final class ShardDirectory {
  struct Entry {
    /// The index of the entry's path in `names`.
    let name: Int
    let sample: SampleName
    /// `nil` for a link.
    let range: Range<Int>?
    let link: TarReader.Link?
  }

  /// The entries that can be parts of samples, in their order.
  private(set) var entries: [Entry] = []
  /// The entries that were left out.
  private(set) var report = SourceReport()
  let shard: String
  private let file: OpenFile
  private var names = PackedNames()
  /// All files and links by their paths without `.` and empty components.
  private var places: [[UInt8]: Place] = [:]

  private enum Place {
    case file(Range<Int>)
    case link(TarReader.Link)
  }

  /// The number of links that are followed to a file.
  private static let longestChain = 8

  /// Reads the headers of a shard.
  /// - Parameters:
  ///   - file: The shard.
  ///   - shard: Its name in error messages.
  /// - Throws: `ReadFailure` if the shard is truncated or corrupt.
  init(_ file: OpenFile, called shard: String) throws {
    self.file = file
    self.shard = shard
    let tar = try TarReader(FileInput(file, range: 0..<Int.max), blockSize: 1 << 14)
    while let entry = try tar.next({ tar -> Verdict<Entry> in
      places[Self.normalised(tar.name)] = tar.link.map(Place.link) ?? tar.bodyRange.map(Place.file)
      return SampleName.judge(tar.name, others: { .notAnImage(Array($0)) }).map {
        Entry(name: names.count, sample: $0, range: tar.link == nil ? tar.bodyRange : nil, link: tar.link)
      }
    }) {
      guard names.append(tar.name) else { throw OnePassError.fileNamesAreTooLong(in: shard) }
      entries.append(entry)
    }
    report = tar.report
  }

  /// The path of an entry.
  func name(of entry: Entry) -> ArraySlice<UInt8> { names[entry.name] }

  /// The place of an entry's contents, through links; `nil` if its target is not in the shard.
  func range(of entry: Entry) -> Range<Int>? {
    entry.link.map { range(of: $0, from: Array(name(of: entry))) } ?? entry.range
  }

  /// The place of the file that a link leads to; `nil` if it is not in the shard.
  func range(of link: TarReader.Link, from name: [UInt8]) -> Range<Int>? {
    var (link, name) = (link, name)
    for _ in 0..<Self.longestChain {
      let target =
        switch link {
        case .hard(let path): Self.normalised(path)
        case .symbolic(let path) where path.first == slash: Self.normalised(path)
        case .symbolic(let path):
          Self.normalised(Array(name[..<(name.lastIndex(of: slash).map { $0 + 1 } ?? 0)]) + path)
        }
      switch places[target] {
      case .file(let range): return range
      case .link(let next): (link, name) = (next, target)
      case nil: return nil
      }
    }
    return nil
  }

  /// The bytes of a file in the shard.
  /// - Throws: `ReadFailure` if there are more than `limit`; `OnePassError` (`io`, `badData`) if they cannot be read.
  func bytes(in range: Range<Int>, limit: Int) throws -> [UInt8] {
    guard range.count <= limit else { throw ReadFailure.entryIsTooLarge(bytes: range.count, limit: limit) }
    return try file.bytes(at: range.lowerBound, count: range.count)
  }

  /// A path without empty components, `.` and `..`.
  private static func normalised(_ path: [UInt8]) -> [UInt8] {
    var parts: [ArraySlice<UInt8>] = []
    for part in path.split(separator: slash) {
      if part.elementsEqual([46]) { continue }
      if part.elementsEqual([46, 46]) { _ = parts.popLast() } else { parts.append(part) }
    }
    return Array(parts.joined(separator: [slash]))
  }
}
