import Foundation
import OnePassCore

/// Writes any source as uniformly shuffled WebDataset shards, with an index.
///
/// ```swift
/// let source = try SourceRegistry.open("folder:photos", seed: 1)
/// let report = try ShardWriter(output: "shards/train-{0000..0009}.tar", seed: 1).write(source)
/// print(report.exampleCount, report.byteCount)
/// ```
/// All examples are put into one random order and divided into shards of equal size (to within one example). The same
/// source, seed and output give the same bytes.
///
/// A source with random access is read in that order. Any other source is first distributed over temporary files in
/// TMPDIR, which needs room for the whole stream. Memory: one image, 8 MiB of buffers, and 16 bytes per example of one
/// temporary file (1/128 of the stream).
///
/// Shards are written with the suffix `.partial` and renamed when all are complete, the index last.
public struct ShardWriter {
  /// The files that were written.
  ///
  /// ```swift
  /// let source = try SourceRegistry.open("folder:photos", seed: 1)
  /// let report = try ShardWriter(output: "photos.tar", seed: 1).write(source)
  /// print(report.shardPaths, report.indexPath)
  /// ```
  public struct Report: Hashable, Sendable {
    /// The number of examples.
    public let exampleCount: Int
    /// The total size of the shards in bytes, without the index.
    public let byteCount: Int
    /// The paths of the shards, in order.
    public let shardPaths: [String]
    /// The path of the index.
    public let indexPath: String
    /// The number of unfinished files of an interrupted process that were removed.
    public let removedCount: Int
  }

  private let pattern: ShardPattern
  private let compression: TarWriter.Compression
  private let seed: UInt64

  /// Creates a writer.
  /// - Parameters:
  ///   - output: The paths of the shards, with braces. The extension selects the compression: `.tar`, `.tar.gz`, `.tgz`
  ///     or `.tar.zst`.
  ///   - seed: The seed of the order.
  /// - Throws: `OnePassError` (`usage`) if the pattern is malformed or has another extension.
  public init(output: String, seed: UInt64) throws {
    pattern = try ShardPattern(output)
    self.seed = seed
    guard let compression = TarWriter.Compression(path: output) else {
      throw OnePassError.unknownShardExtension(output)
    }
    self.compression = compression
  }

  /// Reads the whole source and writes the shards and their index. If it throws, all files that it wrote are removed.
  /// - Parameters:
  ///   - source: The examples.
  ///   - isStrict: Whether entries that the source leaves out are an error.
  ///   - checkStop: Called before each example. If it throws, so does the call.
  /// - Throws: Errors of the source and of `checkStop`. `OnePassError`: `usage` if a file already exists or there are more shards
  ///   than examples; `badData` if the source is empty or a label is negative; `io` if writing fails, or another process writes
  ///   the same shards.
  public func write(
    _ source: any ExampleSource, isStrict: Bool = false, checkStop: () throws -> Void = {}
  ) throws -> Report {
    try checkNothingIsThere()
    try source.checkReport(isStrict: isStrict)
    try makeFolders()
    let lock = try PackingLock(on: partial(pattern.indexPath), beside: pattern.shards.map(partial))
    defer { lock.release() }
    let shuffled = try Self.shuffled(source, seed: seed, checkStop)
    // A stream has been read to its end.
    try source.checkReport(isStrict: isStrict)
    guard shuffled.count > 0 else {
      throw OnePassError.nothingToPack(in: source.specification)
    }
    guard shuffled.count >= pattern.shards.count else {
      throw OnePassError.tooFewExamples(
        shuffled.count, forShards: pattern.shards.count, of: pattern.text)
    }
    var written: [String] = []
    do {
      let counts = try writePartials(shuffled, &written, checkStop)
      let indexPath = pattern.indexPath
      try writeIndex(counts, classes: source.classNames, to: lock.file)
      let byteCount = try pattern.shards.reduce(0) { try $0 + OpenFile(reading: partial($1)).size() }
      for path in pattern.shards + [indexPath] {
        guard rename(partial(path), path) == 0 else { throw OnePassError.failed(.rename, partial(path)) }
        written.append(path)
      }
      return Report(
        exampleCount: shuffled.count, byteCount: byteCount, shardPaths: pattern.shards, indexPath: indexPath,
        removedCount: lock.removedCount)
    } catch {
      for path in written { unlink(path) }
      throw error
    }
  }

  private static func shuffled(
    _ source: any ExampleSource, seed: UInt64, _ checkStop: () throws -> Void
  ) throws -> any ShuffledImages {
    if let table = source as? any RandomAccessSource { return ShuffledTable(table, seed: seed) }
    return try SpillBuckets(taking: source, seed: seed, checkStop: checkStop)
  }

  /// Writes every shard under its temporary name. Returns the number of examples in each.
  private func writePartials(
    _ images: any ShuffledImages, _ written: inout [String], _ checkStop: () throws -> Void
  ) throws -> [Int] {
    let keyLength = max(6, String(images.count - 1).utf8.count)
    var counts: [Int] = []
    var key = 0
    for (shard, path) in pattern.shards.enumerated() {
      let end = images.count * (shard + 1) / pattern.shards.count
      let file = try OpenFile(creating: partial(path))
      written.append(partial(path))
      let tar = try TarWriter(file, compression)
      counts.append(end - key)
      while key < end {
        try checkStop()
        let (label, file) = try images.next()
        let digits = String(key)
        let name = String(repeating: "0", count: keyLength - digits.utf8.count) + digits
        try tar.append("\(name).\(imageExtension(of: file))", file)
        try tar.append("\(name).cls", Array(String(label).utf8))
        key += 1
      }
      try tar.finish()
    }
    return counts
  }

  private func writeIndex(_ counts: [Int], classes: [String]?, to file: OpenFile) throws {
    let shards = try zip(pattern.shards, counts).map { path, count in
      ShardIndex.Shard(
        url: ShardIndex.url(of: path, in: pattern.indexPath), nsamples: count,
        filesize: try OpenFile(reading: partial(path)).size())
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let json = try encoder.encode(ShardIndex(shards: shards, classes: classes))
    try Array(json + [10]).withUnsafeBytes { try file.write($0) }
  }

  private func partial(_ path: String) -> String { "\(path).partial" }

  private func makeFolders() throws {
    for folder in Set(
      pattern.shards.compactMap { shard in shard.lastIndex(of: "/").map { String(shard[...$0]) } })
    {
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      } catch {
        throw OnePassError.cannotCreateFolder(folder, cause: error)
      }
    }
  }

  private func checkNothingIsThere() throws {
    for path in pattern.shards + [pattern.indexPath] where existence(of: path).exists {
      throw OnePassError.outputExists(path)
    }
    guard Set(pattern.shards).count == pattern.shards.count else {
      throw OnePassError.outputRepeatsShard(pattern.text)
    }
  }
}

/// The file extension for the bytes of an image; `img` if they are neither JPEG nor PNG.
func imageExtension(of file: [UInt8]) -> String {
  if file.starts(with: [0xFF, 0xD8, 0xFF]) { return "jpg" }
  return file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) ? "png" : "img"
}
