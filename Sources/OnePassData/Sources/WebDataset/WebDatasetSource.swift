import Foundation
import OnePassCore

/// WebDataset tar shards, read in arrival order.
///
/// A shard is a file, an address or standard input; see ``init(_:classNames:labelKey:)``. Plain tar, gzip, zstd, xz, bzip2,
/// lz4 and lzip are recognised by their bytes. If a connection breaks, a new one continues at the same byte.
///
/// The entries of a sample follow each other. In an uncompressed file they may be anywhere; its headers are then read in
/// advance.
///
/// If there is an index beside the shards (`train.json` for `train-{0000..0009}.tar`), it states the length and the
/// classes. A shard with another number of examples is then an error.
///
/// Memory: one read buffer and one sample, and up to 4 MiB ahead of a download, for any length of the stream.
///
/// ```swift
/// let stream = try WebDatasetSource("shards/train-{0000..0009}.tar.zst")
/// while let example = try stream.next() { print(example.id, example.label) }
/// ```
public final class WebDatasetSource: SurveyableSource {
  /// The specification that opens this source again, without secrets.
  public let specification: String
  /// The names of the classes in label order; `nil` if they have none, or a survey has not found them yet.
  public var classNames: [String]? { labels.names }
  /// The number of classes; `nil` until names, an index or a survey states it.
  public private(set) var knownClassCount: Int?
  /// The number of examples delivered or skipped.
  public private(set) var position = 0

  private let shards: [String]
  private let labels: ShardLabels
  private let fields: SampleFields
  private let classCount: Int?
  private let limits: HTTPLimits
  /// The number of examples in each shard, from an index or a survey.
  private var shardCounts: [Int]?
  private var nextShard = 0
  private var reader: ShardReader?
  /// The report on the shards before the current one.
  private var finished = SourceReport()
  /// Thrown again by every later call, because a broken stream does not continue after the break.
  private var failure: OnePassError?

  /// Opens shards and reads their index.
  /// - Parameters:
  ///   - pattern: Paths or http(s) addresses with braces; `@FILE` for a text file with one such pattern per line; or
  ///     `-` for standard input. The query of an address is sent but never shown.
  ///   - classNames: The class names in label order, to which labels may refer.
  ///   - labelKey: Where samples have their label. If it is not a number in a `.cls` entry and there are no class names, the
  ///     shards are surveyed at once.
  /// - Throws: `OnePassError`: `usage` for a malformed pattern, `io` for a missing shard, `badData` for a damaged
  ///   index or one with other classes than `classNames`.
  public convenience init(
    _ pattern: String, classNames: [String]? = nil, labelKey: LabelKey = .entry
  ) throws {
    try self.init(
      SourceRequest(
        specification: "wds:\(pattern)", argument: pattern, seed: 0, classNames: classNames, subjectKey: nil,
        labelKey: labelKey))
  }

  init(_ request: SourceRequest, http: HTTPLimits = HTTPLimits()) throws {
    specification = HTTPAddress.shown(request.specification)
    limits = http
    classCount = request.classCount
    let labelKey = request.labelKey ?? .entry
    switch labelKey {
    case .entry, .folder, .field: break
    case .header, .messageKey: throw OnePassError.labelKeyOfShards("\(labelKey)")
    }
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
      throw OnePassError.standardInputIsTerminal(specification)
    } else if shards.count > 1 {
      throw OnePassError.standardInputAmongShards(specification)
    }
    shardCounts = index?.counts(of: shards)
    let names = try request.agreedClassNames(with: index?.classes)
    labels = names == nil && request.hasOpenClasses ? .open() : ShardLabels(names: names)
    fields = SampleFields(labels: labels, labelKey: labelKey, subjectKey: request.subjectKey)
    knownClassCount = classNames?.count
    if classNames == nil, labelKey != .entry, !labels.isOpen { try findClasses(labelKey) }
  }

  /// Finds the classes that folders or fields name.
  private func findClasses(_ labelKey: LabelKey) throws {
    do { _ = try survey() } catch let error as OnePassError where error.code == .usage {
      // Numbers in fields need no names.
      if labelKey == .folder {
        throw OnePassError.labelKeyNeedsClassNames(labelKey, of: specification)
      }
    }
  }

  /// Always `false`: samples are delivered in the order of the shards.
  public var orderDependsOnSeed: Bool? { false }
  /// What was left out and chosen up to the current position.
  public var report: SourceReport {
    guard let reader else { return finished }
    var report = finished
    report.add(reader.report)
    return report
  }

  /// Continues with the report of an earlier run at this position.
  public func restore(report: SourceReport) {
    // The current shard has been read up to the position again, and reports its part itself.
    finished = report.subtracting(reader?.report ?? SourceReport())
  }

  /// Whether ``restore(position:)`` reads the stream from the start: standard input, and remote shards without an index.
  public var readsAgainToRestore: Bool {
    shards == [standardInput] || (shardCounts == nil && shards.contains(where: HTTPAddress.isMeant))
  }

  /// The number of examples; `nil` until an index or a survey states it.
  public var knownCount: Int? { shardCounts?.reduce(0, +) }

  /// Whether labels are positions among the sorted names that a survey has found.
  public var labelsFollowNames: Bool { labels.areSorted }

  /// Visits the shards: their file names, and the sizes of local files. Standard input has no listing.
  public func visitListing(_ visit: (ListedEntry) -> Void) -> Bool {
    guard !shards.contains(standardInput) else { return false }
    for shard in shards { visit(ListedEntry(shard: shard)) }
    return true
  }

  /// The next sample; `nil` at the end of the last shard.
  /// - Throws: `OnePassError`: `badData` if a shard or a sample is damaged, `io` if reading fails.
  public func next() throws -> Example? {
    if let failure { throw failure }
    do {
      guard let sample = try nextSample(.everything) else { return nil }
      defer { position += 1 }
      return Example(
        id: position, label: sample.label, image: EncodedImage(bytes: sample.image), subject: sample.subject,
        className: labels.openName(of: sample.label))
    } catch let error as OnePassError {
      failure = error
      throw error
    }
  }

  /// Skips samples without reading their bodies; returns how many there were.
  /// - Throws: `OnePassError` (`badData`, `io`), as ``next()``.
  public func skip(_ count: Int) throws -> Int {
    for skipped in 0..<count {
      guard try nextSample(.keys) != nil else { return skipped }
      position += 1
    }
    return count
  }

  /// Continues at a position, skipping whole shards whose counts are known and then single samples.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter; errors of reading.
  public func restore(position target: Int) throws {
    precondition(position == 0 && reader == nil, "A source must be restored before anything is read from it.")
    if let knownCount { try checkRestore(to: target, within: knownCount, of: specification) }
    if let shardCounts {
      // The last shard before the position is read to its last sample, because its report has to end there.
      while nextShard < shards.count, position + shardCounts[nextShard] < target {
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

  /// Reads the labels of all shards once, without the images.
  ///
  /// - Throws: `OnePassError`: `usage` for standard input and remote shards; `badData` and `io` as ``next()``.
  /// - Complexity: O(entries). Large bodies in uncompressed shards are skipped without reading them.
  public func survey() throws -> Survey {
    guard shards != [standardInput] else {
      throw OnePassError.lengthIsUnknown(ofStandardInput: specification)
    }
    guard !shards.contains(where: HTTPAddress.isMeant) else {
      throw OnePassError.lengthIsUnknown(ofRemote: specification)
    }
    var counts: [Int] = []
    let found = classNames == nil && !labels.isOpen ? ShardLabels.collecting() : labels
    let fields = SampleFields(labels: found, labelKey: fields.labelKey)
    for shard in shards {
      let reader = try open(shard, fields, blockSize: surveyBlockSize)
      while try reader.next(.labels) != nil {}
      try checkCount(of: reader, at: counts.count)
      counts.append(reader.count)
    }
    shardCounts = counts
    guard !labels.isOpen else { return Survey(count: counts.reduce(0, +), classCount: 0) }
    let (classCount, areSparseNumbers) = try labels.adopt(found, classCount: classCount)
    if areSparseNumbers { finished.chooseNamesForNumbers() }
    knownClassCount = classCount
    return Survey(count: counts.reduce(0, +), classCount: classCount)
  }

  private func nextSample(_ detail: ShardReader.Detail) throws -> ShardReader.Sample? {
    while true {
      if reader == nil {
        guard nextShard < shards.count else { return nil }
        reader = try open(shards[nextShard], fields, blockSize: usualBlockSize)
        nextShard += 1
      }
      guard let reader else { return nil }
      if let sample = try reader.next(detail) { return sample }
      try checkCount(of: reader, at: nextShard - 1)
      finished.add(reader.report)
      self.reader = nil
    }
  }

  private func open(_ shard: String, _ fields: SampleFields, blockSize: Int) throws -> ShardReader {
    var file: OpenFile?
    let input: any ByteInput
    if HTTPAddress.isMeant(by: shard) {
      input = HTTPInput(try HTTPAddress(shard), limits: limits)
    } else if shard == standardInput {
      // The descriptor is duplicated, so that closing it does not close the process's standard input.
      input = FileInput(OpenFile(adopting: dup(STDIN_FILENO), path: Self.name(of: shard)))
    } else {
      let opened = try OpenFile(reading: shard)
      (file, input) = (opened, FileInput(opened))
    }
    return try ShardReader(
      input, called: Self.name(of: shard), file: file, fields: fields, blockSize: blockSize)
  }

  private static func name(of shard: String) -> String {
    shard == standardInput ? "standard input" : HTTPAddress.shown(shard)
  }

  /// Throws if a shard ended with another number of examples than its index or a survey states.
  private func checkCount(of reader: ShardReader, at shard: Int) throws {
    guard let expected = shardCounts?[shard], expected != reader.count else { return }
    throw OnePassError.exampleCountDiffers(reader.path, count: reader.count, expected: expected)
  }

  private static func checkLocal(_ shard: String) throws {
    let (exists, isDirectory) = existence(of: shard)
    guard exists else { throw OnePassError.noSuchShard(shard) }
    guard !isDirectory else { throw OnePassError.isFolder(shard, expected: .shards) }
  }
}

private let standardInput = "-"
private let usualBlockSize = 1 << 17
/// Small, so that bodies are skipped by seeking instead of reading.
private let surveyBlockSize = 1 << 14

/// `wds:PATTERN`.
func openWebDataset(_ request: SourceRequest) throws -> any ExampleSource { try WebDatasetSource(request) }
