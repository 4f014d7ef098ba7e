import Foundation
import OnePassCore

/// Writes any source as uniformly shuffled WebDataset shards, with the index that states their counts.
///
/// ```swift
/// let source = try SourceRegistry.open("folder:photos", seed: 1)
/// let report = try ShardWriter(output: "shards/train-{0000..0009}.tar", seed: 1).write(source)
/// print(report.exampleCount, report.byteCount)
/// ```
/// All examples are put in one random order and cut into shards of equal size (to within one example). A
/// source with random access is read in that order; any other is first spread over temporary files on the
/// disk of TMPDIR, which needs room for it once. Memory: one image, 8 MiB of buffers, and 16 bytes an example
/// of one temporary file (a 128th of the stream).
/// The same source, seed and output give the same bytes.
///
/// Shards are written under names ending in `.partial` and get their names when all are whole, the index last.
public struct ShardWriter {
  /// What was written.
  public struct Report: Hashable, Sendable {
    public let exampleCount: Int
    /// The size of all shards together, the index not included.
    public let byteCount: Int
    public let shardPaths: [String]
    public let indexPath: String
  }

  private let pattern: ShardPattern
  private let compression: TarWriter.Compression
  private let seed: UInt64

  /// - Parameters:
  ///   - output: the shards' paths with braces; the extension says the compression (`.tar`, `.tar.gz`, `.tar.zst`).
  ///   - seed: fixes the order.
  /// - Throws: `OnePassError` (`usage`) if the pattern names no shards or has another extension.
  public init(output: String, seed: UInt64) throws {
    pattern = try ShardPattern(output)
    self.seed = seed
    guard let compression = TarWriter.Compression(path: output) else {
      throw OnePassError(
        .usage, "The output \(output) has no known extension. End it in .tar, .tar.gz, .tgz or .tar.zst.")
    }
    self.compression = compression
  }

  /// Takes the whole source and writes the shards.
  /// - Throws: `OnePassError`: `usage` if a file is already there or there are more shards than examples, `io` if
  ///   writing fails, and what the source throws. Nothing half-written remains.
  public func write(_ source: any ExampleSource) throws -> Report {
    try checkNothingIsThere()
    try makeFolders()
    let shuffled = try Self.shuffled(source, seed: seed)
    guard shuffled.count > 0 else {
      throw OnePassError(.badData, "\(source.specification) holds no examples to pack. Check the data.")
    }
    guard shuffled.count >= pattern.shards.count else {
      throw OnePassError(
        .usage,
        "\(shuffled.count) examples do not fill the \(pattern.shards.count) shards of \(pattern.text). Name fewer."
      )
    }
    var written: [String] = []
    do {
      let counts = try writePartials(shuffled, &written)
      let indexPath = try writeIndex(counts, classes: source.classNames, &written)
      let byteCount = try pattern.shards.reduce(0) { try $0 + OpenFile(reading: partial($1)).size() }
      for path in pattern.shards + [indexPath] {
        guard rename(partial(path), path) == 0 else { throw systemError("rename", partial(path)) }
        written.append(path)
      }
      return Report(
        exampleCount: shuffled.count, byteCount: byteCount, shardPaths: pattern.shards, indexPath: indexPath)
    } catch {
      for path in written { unlink(path) }
      throw error
    }
  }

  private static func shuffled(_ source: any ExampleSource, seed: UInt64) throws -> any ShuffledImages {
    if let table = source as? any RandomAccessSource { return ShuffledTable(table, seed: seed) }
    return try SpillBuckets(taking: source, seed: seed)
  }

  /// Writes every shard under its temporary name; returns the number of examples of each.
  private func writePartials(_ images: any ShuffledImages, _ written: inout [String]) throws -> [Int] {
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

  private func writeIndex(_ counts: [Int], classes: [String]?, _ written: inout [String]) throws -> String {
    let shards = try zip(pattern.shards, counts).map { path, count in
      ShardIndex.Shard(
        url: String(ShardIndex.fileName(path)), nsamples: count,
        filesize: try OpenFile(reading: partial(path)).size())
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    let json = try encoder.encode(ShardIndex(shards: shards, classes: classes))
    let file = try OpenFile(creating: partial(pattern.indexPath))
    written.append(partial(pattern.indexPath))
    try Array(json + [10]).withUnsafeBytes { try file.write($0) }
    return pattern.indexPath
  }

  private func partial(_ path: String) -> String { "\(path).partial" }

  private func makeFolders() throws {
    for folder in Set(
      pattern.shards.compactMap { shard in shard.lastIndex(of: "/").map { String(shard[...$0]) } })
    {
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      } catch {
        throw OnePassError(
          .io, "The folder \(folder) for the shards cannot be made: name another output.", cause: error)
      }
    }
  }

  private func checkNothingIsThere() throws {
    for path in pattern.shards + [pattern.indexPath] {
      for name in [path, partial(path)] where existence(of: name).exists {
        throw OnePassError(.usage, "\(name) is already there. Remove it, or name another output.")
      }
    }
    guard Set(pattern.shards).count == pattern.shards.count else {
      throw OnePassError(.usage, "The output \(pattern.text) names a shard twice. Name each once.")
    }
  }
}

/// The extension that the bytes of an image call for; `img` where they are neither JPEG nor PNG.
func imageExtension(of file: [UInt8]) -> String {
  if file.starts(with: [0xFF, 0xD8, 0xFF]) { return "jpg" }
  return file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) ? "png" : "img"
}
