import Foundation
import OnePassCore

/// WebDataset tar shards, taken one after the other in the order in which their samples arrive.
///
/// Plain, gzip and zstd are told apart by their bytes. A shard is a file or an address, read as it arrives and with a new
/// connection from the byte at which one breaks; see ``init(_:classNames:)`` for lists. Memory: one read buffer and one
/// sample, and of a download 4 MiB that are ahead, whatever the length of the stream. If an index lies beside the shards (`train.json` for `train-{0000..0009}.tar`), the
/// count and the classes come from it, and a shard that holds another number of examples is an error.
///
/// ```swift
/// let stream = try WebDatasetSource("shards/train-{0000..0009}.tar.zst")
/// while let example = try stream.next() { print(example.id, example.label) }
/// ```
public final class WebDatasetSource: SurveyableSource {
  public let specification: String
  public let classNames: [String]?
  public private(set) var knownClassCount: Int?
  public private(set) var position = 0

  private let shards: [String]
  private let labelsByName: [String: Int]
  private let subjectKey: SubjectKey?
  private let limits: HTTPLimits
  /// The examples of each shard, where an index or a survey told them.
  private var shardCounts: [Int]?
  private var nextShard = 0
  private var reader: ShardReader?
  /// Thrown again by every call after the first: a broken stream does not go on behind the break.
  private var failure: OnePassError?

  /// - Parameters:
  ///   - pattern: the shards, with braces: paths, or addresses with http or https, whose query is sent and never shown;
  ///     `@FILE`, where a text file has such a pattern on each line; or `-` for standard input.
  ///   - classNames: names by which `.cls` entries may refer to classes.
  /// - Throws: `OnePassError`: `usage` for a malformed pattern, `io` for a missing shard, `badData` for an index
  ///   that is not one or whose classes are others than `classNames`.
  public convenience init(_ pattern: String, classNames: [String]? = nil) throws {
    try self.init(
      SourceRequest(
        specification: "wds:\(pattern)", argument: pattern, seed: 0, classNames: classNames, subjectKey: nil))
  }

  init(_ request: SourceRequest, http: HTTPLimits = HTTPLimits()) throws {
    specification = HTTPAddress.shown(request.specification)
    limits = http
    subjectKey = request.subjectKey
    let pattern = try ShardPattern(try request.requiredArgument("wds:DIR/train-{0000..0009}.tar or wds:-"))
    shards = pattern.shards
    var index: ShardIndex?
    if !shards.contains(standardInput) {
      for shard in shards {
        if HTTPAddress.isMeant(by: shard) { _ = try HTTPAddress(shard) } else { try Self.checkLocal(shard) }
      }
      index =
        HTTPAddress.isMeant(by: pattern.indexPath)
        ? try ShardIndex.fetch(HTTPAddress(pattern.indexPath), limits: http)
        : try ShardIndex.read(pattern.indexPath)
    } else if isatty(STDIN_FILENO) == 1 {
      throw OnePassError(
        .usage, "Standard input is a terminal: pipe a tar into it, as in `cat train.tar | onepass …`.")
    } else if shards.count > 1 {
      throw OnePassError(
        .usage, "Standard input (-) is one stream and cannot be listed with others. Write wds:-.")
    }
    shardCounts = index?.counts(of: shards)
    classNames = try request.agreedClassNames(with: index?.classes)
    knownClassCount = classNames?.count
    labelsByName = Dictionary((classNames ?? []).enumerated().map { ($1, $0) }) { first, _ in first }
  }

  public var readsAgainToRestore: Bool {
    shards == [standardInput] || (shardCounts == nil && shards.contains(where: HTTPAddress.isMeant))
  }

  public var knownCount: Int? { shardCounts?.reduce(0, +) }

  public func next() throws -> Example? {
    if let failure { throw failure }
    do {
      guard let sample = try nextSample(.everything) else { return nil }
      defer { position += 1 }
      return Example(
        id: position, label: sample.label, image: EncodedImage(bytes: sample.image), subject: sample.subject)
    } catch let error as OnePassError {
      failure = error
      throw error
    }
  }

  public func skip(_ count: Int) throws -> Int {
    for skipped in 0..<count {
      guard try nextSample(.keys) != nil else { return skipped }
      position += 1
    }
    return count
  }

  /// Passes over whole shards whose counts are known, then over the samples of one shard.
  public func restore(position target: Int) throws {
    precondition(position == 0 && reader == nil, "A source is restored before anything is taken from it.")
    if let knownCount { try checkRestore(to: target, within: knownCount, of: specification) }
    if let shardCounts {
      while nextShard < shards.count, position + shardCounts[nextShard] <= target {
        position += shardCounts[nextShard]
        nextShard += 1
      }
    }
    while position < target {
      guard try nextSample(.keys) != nil else {
        return try checkRestore(to: target, within: position, of: specification)
      }
      position += 1
    }
  }

  /// Reads the names and labels of all shards once, without the images.
  ///
  /// - Throws: `OnePassError`: `usage` for standard input, which can be read only once; `badData` and `io` as
  ///   reading does.
  /// - Complexity: O(entries); of plain `.tar` shards larger bodies are not read from the disk.
  public func survey() throws -> Survey {
    guard shards != [standardInput] else {
      throw OnePassError(
        .usage,
        "The length and the classes of a stream on standard input are not known in advance. "
          + "Save it to a file first, or use shards with an index (onepass pack writes both).")
    }
    guard !shards.contains(where: HTTPAddress.isMeant) else {
      throw OnePassError(
        .usage,
        "The length and the classes of \(specification) are not known in advance, and it is not fetched twice. "
          + "Put the index beside it that onepass pack writes.")
    }
    var counts: [Int] = []
    var largestLabel = -1
    for shard in shards {
      let reader = try ShardReader(
        try open(shard), called: Self.name(of: shard), labelsByName: labelsByName, blockSize: surveyBlockSize)
      while let sample = try reader.next(.labels) { largestLabel = max(largestLabel, sample.label) }
      try checkCount(of: reader, at: counts.count)
      counts.append(reader.count)
    }
    shardCounts = counts
    let classCount = classNames?.count ?? largestLabel + 1
    knownClassCount = classCount
    return Survey(count: counts.reduce(0, +), classCount: classCount)
  }

  private func nextSample(_ detail: ShardReader.Detail) throws -> ShardReader.Sample? {
    while true {
      if reader == nil {
        guard nextShard < shards.count else { return nil }
        reader = try ShardReader(
          try open(shards[nextShard]), called: Self.name(of: shards[nextShard]), labelsByName: labelsByName,
          subjectKey: subjectKey)
        nextShard += 1
      }
      guard let reader else { return nil }
      if let sample = try reader.next(detail) { return sample }
      try checkCount(of: reader, at: nextShard - 1)
      self.reader = nil
    }
  }

  private func open(_ shard: String) throws -> any ByteInput {
    if HTTPAddress.isMeant(by: shard) { return HTTPInput(try HTTPAddress(shard), limits: limits) }
    // A copy of the descriptor, so that closing it leaves the process its standard input.
    return FileInput(
      shard == standardInput
        ? OpenFile(adopting: dup(STDIN_FILENO), path: Self.name(of: shard)) : try OpenFile(reading: shard))
  }

  private static func name(of shard: String) -> String {
    shard == standardInput ? "standard input" : HTTPAddress.shown(shard)
  }

  /// Refuses a shard that ended with another number of examples than its index states.
  private func checkCount(of reader: ShardReader, at shard: Int) throws {
    guard let expected = shardCounts?[shard], expected != reader.count else { return }
    throw OnePassError(
      .badData,
      "The shard \(reader.path) holds \(reader.count) examples where \(expected) were announced. "
        + "Fetch it again, or remove the index beside it.")
  }

  private static func checkLocal(_ shard: String) throws {
    let (exists, isDirectory) = existence(of: shard)
    guard exists else { throw OnePassError(.io, "There is no shard \(shard). Check the path and the range.") }
    guard !isDirectory else {
      throw OnePassError(
        .usage, "\(shard) is a folder. Name the shards in it, such as wds:\(shard)/train-{0000..0009}.tar.")
    }
  }
}

private let standardInput = "-"
/// Small, so that bodies are passed over by seeking instead of reading.
private let surveyBlockSize = 1 << 14

/// `wds:PATTERN`.
func openWebDataset(_ request: SourceRequest) throws -> any ExampleSource { try WebDatasetSource(request) }
