import Foundation
import OnePassCore

/// The samples of one shard: an image and a label from consecutive entries with the same key.
///
/// A sample is delivered as soon as both are read. If several entries could be its image, an entry whose suffix
/// is the extension alone (`a.jpg`) precedes one that only ends in it (`a.left.jpg`), then the first is used. An image and a
/// label with the same longer name (`cat.0.jpg`, `cat.0.cls`) are a sample of their own.
///
/// Entries of a sample that do not follow each other, and links to other entries, are found through a ``ShardDirectory``, if
/// the shard is an uncompressed file. Owned by one thread.
final class ShardReader {
  /// The parts of a sample to read; the others are skipped.
  enum Detail { case everything, labels, keys }

  struct Sample {
    /// The image file's bytes; empty unless `everything` is requested.
    let image: [UInt8]
    /// The class; 0 if only `keys` are requested.
    let label: Int
    /// The subject; `nil` unless `everything` is requested and the sample names its subject.
    let subject: String?
  }

  /// The number of samples read from this shard so far.
  private(set) var count = 0
  let path: String
  /// The entries that were left out so far, and what was chosen.
  var report: SourceReport {
    var report = joined?.report ?? tar.report
    report.add(choices)
    return report
  }

  private let tar: TarReader
  private let file: OpenFile?
  private let fields: SampleFields
  private var choices = SourceReport()
  private var group = Group()
  private var directory: ShardDirectory?
  private var joined: JoinedShard?
  /// A field of the first sample's metadata that may be the label.
  private var labelField: String?
  /// The extension of the last entry that is neither an image nor a label.
  private var lastOther: (name: [UInt8], reason: LeftOutReason)?

  private struct Group {
    var key: [UInt8] = []
    /// The number of the archive in a pipe of several.
    var archive = 0
    var image: [UInt8]?
    var imageIsExact = false
    var label: Int?
    var labelIsExact = false
    /// The names up to the extension, if the suffix is longer.
    var imageStem: [UInt8]?
    var labelStem: [UInt8]?
    /// The name up to the extension that the parts have in common, if it is longer than the key.
    var stem: [UInt8]?
    var subject: String?
    /// Whether no further entry can change the subject.
    var subjectIsSettled = false
    /// Whether a part is a link that could not be followed.
    var hasLink = false
    /// Whether metadata was read or skipped, which is not counted as an entry that is left out.
    var hasMetadata = false
    /// The extensions seen alone, one bit for each.
    var seen: UInt8 = 0
    var isDelivered = false
  }

  /// - Parameters:
  ///   - input: The shard.
  ///   - path: The shard's name in error messages.
  ///   - file: The same shard for random access, if it is a file.
  ///   - fields: The parts of samples to read.
  ///   - blockSize: See `TarReader`.
  init(
    _ input: any ByteInput, called path: String, file: OpenFile? = nil, fields: SampleFields,
    blockSize: Int = 1 << 17
  ) throws {
    self.path = path
    self.fields = fields
    do { tar = try TarReader(input, blockSize: blockSize) } catch {
      throw error.error(in: path, at: .examples(0))
    }
    self.file = tar.isPlainFile ? file : nil
  }

  /// The next sample; `nil` at the end of a complete shard.
  /// - Throws: `OnePassError`: `badData` if the shard is truncated or corrupt or a sample lacks a part, `io` if reading
  ///   fails.
  func next(_ detail: Detail = .everything) throws -> Sample? {
    do {
      if joined == nil {
        do { return try nextAdjacent(detail) } catch let gap as SampleGap { try join(after: gap) }
      }
      guard let sample = try joined?.next(detail) else { return nil }
      count += 1
      return sample
    } catch let failure as ReadFailure {
      throw failure.error(in: path, at: .examples(count))
    } catch let gap as SampleGap {
      throw gap.error(in: path, labelKey: fields.labelKey, field: labelField)
    }
  }

  private func nextAdjacent(_ detail: Detail) throws -> Sample? {
    while let sample = try tar.next({ try judge($0, detail) }) {
      if let sample { return sample }
    }
    return try finishGroup()
  }

  /// Continues with an index of the whole shard, in which the parts of a sample may be anywhere.
  /// - Throws: The gap, if the shard can only be read in order.
  private func join(after gap: SampleGap) throws {
    guard let file else {
      guard labelField == nil || gap.missing == .image else { throw gap }
      throw OnePassError.samplePartIsNotAdjacent(gap, in: path, labelKey: fields.labelKey)
    }
    let joined = try JoinedShard(ShardDirectory(file, called: path), fields: fields)
    try joined.skip(count)
    self.joined = joined
  }

  /// Decides about an entry, and delivers the sample that it completes or ends.
  private func judge(_ entry: TarReader, _ detail: Detail) throws -> Verdict<Sample?> {
    let name: SampleName
    switch SampleName.judge(entry.name, others: otherReason) {
    case .take(let taken): name = taken
    case .leaveOut(let reason): return .leaveOut(reason)
    }
    if !keyIsStartOfName(name.keyLength) || entry.archive != group.archive
      || (group.stem != nil && startsOtherStem(name))
    {
      if let finished = try finishGroup() {
        // The rest of the stream may be read in more detail than this sample.
        tar.holdEntry()
        return .take(finished)
      }
      group.key.append(contentsOf: entry.name[..<name.keyLength])
      group.archive = entry.archive
      settleSubjectByKey()
      if fields.labelIsFolder {
        group.label = detail == .keys ? 0 : try fields.label(ofFolderIn: group.key, of: path)
        group.labelIsExact = true
      }
    }
    return try take(name, detail).map { isComplete ? deliver() : nil }
  }

  private func keyIsStartOfName(_ length: Int) -> Bool {
    guard group.key.count == length else { return false }
    return group.key.withUnsafeBytes { key in
      tar.name.withUnsafeBytes { name in
        guard let key = key.baseAddress, let name = name.baseAddress else { return length == 0 }
        return memcmp(key, name, length) == 0
      }
    }
  }

  /// Whether an entry with the group's key belongs to another sample, because its name up to the extension differs.
  private func startsOtherStem(_ name: SampleName) -> Bool {
    guard let stem = group.stem, !stem.elementsEqual(tar.name[..<name.stemLength]) else { return false }
    choices.chooseNamesUpToExtension(example: stem)
    return true
  }

  private func otherReason(_ file: Slice<UnsafeBufferPointer<UInt8>>) -> LeftOutReason {
    let suffix = file[(file.lastIndex(of: UInt8(ascii: ".")) ?? file.startIndex)...]
    if let lastOther, lastOther.name.elementsEqual(suffix) { return lastOther.reason }
    let reason = LeftOutReason.notAnImage(Array(file))
    lastOther = (Array(suffix), reason)
    return reason
  }

  /// Whether no later entry can replace a part of the sample.
  private var isComplete: Bool {
    if group.isDelivered { return false }
    if fields.labelIsFolder, group.image != nil { return group.subjectIsSettled }
    return group.imageIsExact && group.labelIsExact && group.subjectIsSettled
  }

  /// Reads the current entry into the group.
  private func take(_ name: SampleName, _ detail: Detail) throws -> Verdict<Void> {
    switch name.part {
    case .image(let suffix): return try takeImage(name, try note(suffix), detail)
    case .label(let suffix):
      let exact = try note(suffix)
      guard fields.labelIsEntry else { return .leaveOut(.unusedLabel) }
      return try takeLabel(name, exact, detail, try readWanted(SampleFields.largestLabel, exact))
    case .metadata(let suffix):
      let exact = try note(suffix)
      group.hasMetadata = true
      let isHint = fields.labelIsEntry && count == 0 && group.label == nil && labelField == nil
      guard fields.needsMetadata || isHint, !group.isDelivered, !tar.isLink else { return .take(()) }
      let bytes = try tar.body(limit: SampleFields.largestMetadata)
      if isHint { labelField = SampleFields.labelField(in: bytes) }
      if exact, case .field = fields.subjectKey {
        if detail == .everything {
          group.subject = try fields.subject(in: bytes, sample: group.key, of: path)
        }
        group.subjectIsSettled = true
      }
      guard case .field = fields.labelKey else { return .take(()) }
      return try takeLabel(name, exact, detail, bytes)
    }
  }

  private func takeImage(_ name: SampleName, _ exact: Bool, _ detail: Detail) throws -> Verdict<Void> {
    guard !group.isDelivered, group.image == nil || (exact && !group.imageIsExact) else {
      return .leaveOut(.secondImage)
    }
    if let stem = group.imageStem { tar.leaveOut(.secondImage, example: String(escaping: stem)) }
    guard let image = try contents(limit: largestImageFile, isWanted: detail == .everything) else {
      group.hasLink = true
      return .leaveOut(.archiveLink)
    }
    group.image = image
    group.imageIsExact = exact
    group.imageStem = exact ? nil : Array(tar.name[..<name.stemLength])
    if fields.labelIsFolder { group.stem = group.imageStem }
    bindStem()
    return .take(())
  }

  /// The contents of a label entry; `nil` if the group has a label.
  private func readWanted(_ limit: Int, _ exact: Bool) throws -> [UInt8]? {
    guard !group.isDelivered, group.label == nil || (exact && !group.labelIsExact) else { return nil }
    guard let bytes = try contents(limit: limit, isWanted: true) else {
      group.hasLink = true
      return nil
    }
    return bytes
  }

  private func takeLabel(
    _ name: SampleName, _ exact: Bool, _ detail: Detail, _ bytes: [UInt8]?
  ) throws -> Verdict<Void> {
    guard let bytes else {
      return .leaveOut(tar.isLink && group.label == nil && !group.isDelivered ? .archiveLink : .secondLabel)
    }
    guard !group.isDelivered, group.label == nil || (exact && !group.labelIsExact) else {
      return .leaveOut(.secondLabel)
    }
    if let stem = group.labelStem { tar.leaveOut(.secondLabel, example: String(escaping: stem)) }
    group.label = detail == .keys ? 0 : try fields.label(in: bytes, sample: group.key, of: path)
    group.labelIsExact = exact
    group.labelStem = exact ? nil : Array(tar.name[..<name.stemLength])
    bindStem()
    return .take(())
  }

  /// Notes that image and label have a longer name in common than the key.
  private func bindStem() {
    if let stem = group.imageStem, stem == group.labelStem { group.stem = stem }
  }

  /// The contents of the current entry, or of the entry that it links to; empty if they are not wanted.
  /// - Returns: `nil` if it is a link that cannot be followed.
  private func contents(limit: Int, isWanted: Bool) throws -> [UInt8]? {
    guard let link = tar.link else { return isWanted ? try tar.body(limit: limit) : [] }
    guard let file else { return nil }
    let directory = try self.directory ?? ShardDirectory(file, called: path)
    self.directory = directory
    guard let range = directory.range(of: link, from: tar.name) else { return nil }
    return isWanted ? try directory.bytes(in: range, limit: limit) : []
  }

  /// Sets the subject if it is part of the key.
  private func settleSubjectByKey() {
    if case .field = fields.subjectKey { return }
    if fields.subjectKey != nil { group.subject = fields.subject(ofKey: group.key) }
    group.subjectIsSettled = true
  }

  /// Whether the suffix is an extension alone.
  /// - Throws: `OnePassError` (`badData`) if the sample already has an entry with this extension.
  private func note(_ suffix: SampleName.Suffix) throws -> Bool {
    guard case .whole(let index) = suffix else { return false }
    guard group.seen & 1 << index == 0 else {
      throw OnePassError.duplicateSampleEntry(sample: String(escaping: group.key), in: path)
    }
    group.seen |= 1 << index
    return true
  }

  private func deliver() -> Sample? {
    guard let image = group.image, let label = group.label else { return nil }
    group.isDelivered = true
    group.image = nil
    count += 1
    return Sample(image: image, label: label, subject: group.subject)
  }

  /// Ends the group. Returns its sample if it has not been delivered yet; `nil` if there is none.
  private func finishGroup() throws -> Sample? {
    defer {
      let key = group.key
      group = Group()
      group.key = key
      group.key.removeAll(keepingCapacity: true)
    }
    if group.isDelivered || group.key.isEmpty { return nil }
    let hasLabel = group.label != nil && !fields.labelIsFolder
    if group.image == nil, !hasLabel {
      if group.hasMetadata, !group.hasLink {
        tar.leaveOut(.emptySample, example: String(escaping: group.key))
      }
      return nil
    }
    if let sample = deliver() { return sample }
    guard !group.hasLink else {
      tar.leaveOut(.linkedSample, example: String(escaping: group.key))
      return nil
    }
    throw SampleGap(
      missing: group.label == nil ? .label : .image, key: String(escaping: group.stem ?? group.key))
  }
}

extension SourceReport {
  /// Records that samples were divided by their names up to the extension.
  mutating func chooseNamesUpToExtension(example: [UInt8]) {
    choose(
      "the keys of samples", taken: "names up to the extension (\(String(escaping: example)))",
      others: ["names up to the first dot"])
  }
}
