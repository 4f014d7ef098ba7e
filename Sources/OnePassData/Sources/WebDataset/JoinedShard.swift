import OnePassCore

/// The samples of a shard whose entries are in any order, joined by their keys.
///
/// Samples come in the order of their first entries. Owned by one thread.
final class JoinedShard {
  /// The entries that were left out, and what was chosen.
  private(set) var report: SourceReport
  private let directory: ShardDirectory
  private let fields: SampleFields
  private var samples: [Parts] = []
  private var position = 0

  private struct Parts {
    let key: [UInt8]
    var image: Part?
    var label: Part?
    var metadata: Part?
    var hasLink = false
  }

  private struct Part {
    let range: Range<Int>
    let isExact: Bool
    let name: [UInt8]
  }

  /// - Throws: `OnePassError` (`badData`) if a sample has two entries of the same name.
  init(_ directory: ShardDirectory, fields: SampleFields) throws {
    self.directory = directory
    self.fields = fields
    report = directory.report
    let dotted = dottedKeys()
    var places: [[UInt8]: Int] = [:]
    var seen: Set<[UInt8]> = []
    for entry in directory.entries {
      let name = directory.name(of: entry)
      if case .label = entry.sample.part, !fields.labelIsEntry {
        report.leaveOut(.unusedLabel, example: String(escaping: name))
        continue
      }
      let key = Array(name.prefix(entry.sample.keyLength))
      let isStem = dotted.contains(key) || (fields.labelIsFolder && !entry.sample.isExact)
      let sample = isStem ? Array(name.prefix(entry.sample.stemLength)) : key
      if isStem, !entry.sample.isExact { report.chooseNamesUpToExtension(example: sample) }
      guard seen.insert(name.map(Self.lowercased)).inserted else {
        throw OnePassError.duplicateSampleEntry(sample: String(escaping: sample), in: directory.shard)
      }
      let place = places[sample] ?? samples.count
      if place == samples.count {
        places[sample] = place
        samples.append(Parts(key: sample))
      }
      add(entry, Array(name), isExact: isStem || entry.sample.isExact, to: place)
    }
    let all = samples
    samples = all.compactMap { sample in report.take(judge(sample), named: String(escaping: sample.key)) }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }

  /// The keys with several names up to the extension that each have an image and a label.
  private func dottedKeys() -> Set<[UInt8]> {
    var parts: [[UInt8]: [[UInt8]: (image: Bool, label: Bool)]] = [:]
    for entry in directory.entries where !entry.sample.isExact {
      let name = directory.name(of: entry)
      let (key, stem) = (
        Array(name.prefix(entry.sample.keyLength)), Array(name.prefix(entry.sample.stemLength))
      )
      if case .image = entry.sample.part {
        parts[key, default: [:]][stem, default: (false, false)].image = true
      }
      if fields.isLabel(entry.sample.part) {
        parts[key, default: [:]][stem, default: (false, false)].label = true
      }
    }
    return Set(parts.filter { $0.value.count { $0.value.image && $0.value.label } > 1 }.keys)
  }

  private func add(_ entry: ShardDirectory.Entry, _ name: [UInt8], isExact: Bool, to place: Int) {
    func leaveOut(_ reason: LeftOutReason, _ name: [UInt8]) {
      report.leaveOut(reason, example: String(escaping: name))
    }
    guard let range = directory.range(of: entry) else {
      samples[place].hasLink = true
      return leaveOut(.archiveLink, name)
    }
    let part = Part(range: range, isExact: isExact, name: name)
    func put(_ part: Part, into old: inout Part?, _ reason: LeftOutReason) {
      guard let first = old, first.isExact || !part.isExact else {
        if let first = old { leaveOut(reason, first.name) }
        old = part
        return
      }
      leaveOut(reason, part.name)
    }
    switch entry.sample.part {
    case .image:
      var image = samples[place].image
      put(part, into: &image, .secondImage)
      samples[place].image = image
    case .label:
      var label = samples[place].label
      put(part, into: &label, .secondLabel)
      samples[place].label = label
    case .metadata:
      if samples[place].metadata == nil || isExact { samples[place].metadata = part }
      if case .field = fields.labelKey { samples[place].label = samples[place].metadata }
    }
  }

  private func judge(_ sample: Parts) -> Verdict<Parts> {
    let hasLabel = sample.label != nil || fields.labelIsFolder
    if sample.hasLink, sample.image == nil || !hasLabel { return .leaveOut(.linkedSample) }
    if sample.image != nil { return .take(sample) }
    // Metadata without an image is not a sample, even if labels are fields of it.
    if fields.labelIsEntry, sample.label != nil { return .take(sample) }
    return .leaveOut(.emptySample)
  }

  /// Skips samples that have been delivered before the shard was joined.
  func skip(_ count: Int) throws {
    position = count
    guard count <= samples.count else { throw ReadFailure.damagedHeader }
  }

  /// The next sample; `nil` at the end.
  /// - Throws: `SampleGap` if it lacks a part; `OnePassError` and `ReadFailure` as for the reader of the shard.
  func next(_ detail: ShardReader.Detail) throws -> ShardReader.Sample? {
    guard position < samples.count else { return nil }
    let sample = samples[position]
    guard let image = sample.image else {
      throw SampleGap(missing: .image, key: String(escaping: sample.key))
    }
    let label = try label(of: sample, detail)
    position += 1
    guard detail == .everything else { return .init(image: [], label: label, subject: nil) }
    return .init(
      image: try directory.bytes(in: image.range, limit: largestImageFile), label: label,
      subject: try subject(of: sample))
  }

  private func label(of sample: Parts, _ detail: ShardReader.Detail) throws -> Int {
    if fields.labelIsFolder {
      return detail == .keys ? 0 : try fields.label(ofFolderIn: sample.key, of: directory.shard)
    }
    guard let label = sample.label else {
      throw SampleGap(missing: .label, key: String(escaping: sample.key))
    }
    guard detail != .keys else { return 0 }
    let limit = fields.labelIsEntry ? SampleFields.largestLabel : SampleFields.largestMetadata
    return try fields.label(
      in: directory.bytes(in: label.range, limit: limit), sample: sample.key, of: directory.shard)
  }

  private func subject(of sample: Parts) throws -> String? {
    guard case .field = fields.subjectKey else {
      return fields.subjectKey == nil ? nil : fields.subject(ofKey: sample.key)
    }
    guard let metadata = sample.metadata else { return nil }
    return try fields.subject(
      in: directory.bytes(in: metadata.range, limit: SampleFields.largestMetadata), sample: sample.key,
      of: directory.shard)
  }
}
