import Foundation
import OnePassCore

/// The samples of one shard: an image and a label from consecutive entries with the same key.
///
/// A sample is delivered as soon as both are read. If several entries could be its image, an entry whose suffix
/// is the extension alone (`a.jpg`) precedes one that only ends in it (`a.left.jpg`), then the first is used.
/// Owned by one thread.
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
  private let tar: TarReader
  private let labelsByName: [String: Int]
  private let subjectKey: SubjectKey?
  private var group = Group()
  /// Whether the tar's current entry has not been processed yet.
  private var entryIsWaiting = false

  private struct Group {
    var key: [UInt8] = []
    var image: [UInt8]?
    var imageIsExact = false
    var label: Int?
    var labelIsExact = false
    var subject: String?
    /// Whether no further entry can change the subject.
    var subjectIsSettled = false
    /// The extensions seen alone, one bit for each.
    var seen: UInt8 = 0
    var isDelivered = false
  }

  static let largestLabel = 4096
  static let largestMetadata = 1 << 20

  /// - Parameters:
  ///   - input: The shard.
  ///   - path: The shard's name in error messages.
  ///   - labelsByName: The labels of the class names.
  ///   - subjectKey: The key by which samples name their subject.
  ///   - blockSize: See `TarReader`.
  init(
    _ input: any ByteInput, called path: String, labelsByName: [String: Int], subjectKey: SubjectKey? = nil,
    blockSize: Int = 1 << 17
  ) throws {
    self.path = path
    self.labelsByName = labelsByName
    self.subjectKey = subjectKey
    do { tar = try TarReader(input, blockSize: blockSize) } catch {
      throw error.error(in: path, at: .examples(0))
    }
  }

  /// The next sample; `nil` at the end of a complete shard.
  /// - Throws: `OnePassError`: `badData` if the shard is truncated or corrupt or a sample lacks a part, `io` if reading
  ///   fails.
  func next(_ detail: Detail = .everything) throws -> Sample? {
    do {
      while true {
        if !entryIsWaiting {
          guard try tar.advance() else { return try finishGroup() }
        }
        entryIsWaiting = false
        guard let name = tar.name.withUnsafeBufferPointer(SampleName.init) else { continue }
        if !keyIsStartOfName(name.keyLength) {
          if let sample = try finishGroup() {
            entryIsWaiting = true
            return sample
          }
          group.key.append(contentsOf: tar.name[..<name.keyLength])
          settleSubjectByKey()
        }
        if try take(name.part, detail) { return deliver() }
      }
    } catch let failure as ReadFailure {
      throw failure.error(in: path, at: .examples(count))
    }
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

  /// Reads the current entry into the group; `true` when the sample is complete and no later entry can replace a part.
  private func take(_ part: SampleName.Part, _ detail: Detail) throws -> Bool {
    switch part {
    case .other: return false
    case .metadata(let suffix):
      let exact = try note(suffix)
      guard exact, detail == .everything, !group.isDelivered, case .field(let field) = subjectKey else {
        return false
      }
      group.subject = try subject(from: try tar.body(limit: Self.largestMetadata), field: field)
      group.subjectIsSettled = true
    case .image(let suffix):
      let exact = try note(suffix)
      guard !group.isDelivered, group.image == nil || (exact && !group.imageIsExact) else { return false }
      group.image = detail == .everything ? try tar.body(limit: largestImageFile) : []
      group.imageIsExact = exact
    case .label(let suffix):
      let exact = try note(suffix)
      guard !group.isDelivered, group.label == nil || (exact && !group.labelIsExact) else { return false }
      group.label = detail == .keys ? 0 : try label(from: try tar.body(limit: Self.largestLabel))
      group.labelIsExact = exact
    }
    return group.imageIsExact && group.labelIsExact && (group.subjectIsSettled || detail != .everything)
  }

  /// Sets the subject if it is part of the key.
  private func settleSubjectByKey() {
    if case .field = subjectKey { return }
    group.subject = subjectKey?.subject(inPath: String(decoding: group.key, as: UTF8.self))
    group.subjectIsSettled = true
  }

  /// The field of a `.json` entry, a string or a number, as text.
  private func subject(from bytes: [UInt8], field: String) throws -> String? {
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
      throw OnePassError.metadataIsNoObject(sample: shownKey, in: path)
    }
    return (object[field] as? String) ?? (object[field] as? NSNumber)?.stringValue
  }

  /// Whether the suffix is an extension alone.
  /// - Throws: `OnePassError` (`badData`) if the sample already has an entry with this extension.
  private func note(_ suffix: SampleName.Suffix) throws -> Bool {
    guard case .whole(let index) = suffix else { return false }
    guard group.seen & 1 << index == 0 else {
      throw OnePassError.duplicateSampleEntry(sample: shownKey, in: path)
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
    if group.isDelivered || (group.image == nil && group.label == nil) { return nil }
    if let sample = deliver() { return sample }
    throw group.label == nil
      ? OnePassError.sampleWithoutLabel(shownKey, in: path)
      : OnePassError.sampleWithoutImage(shownKey, in: path)
  }

  /// The class in a `.cls` entry, an integer or one of the class names.
  private func label(from bytes: [UInt8]) throws -> Int {
    let space: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
    let text = bytes.drop(while: space).reversed().drop(while: space).reversed()
    if let number = Self.integer(text) { return number }
    let name = String(decoding: text, as: UTF8.self)
    if let label = labelsByName[name] { return label }
    throw OnePassError.unknownSampleLabel(
      name, sample: shownKey, in: path, classNames: labelsByName.count)
  }

  private static func integer(_ text: some BidirectionalCollection<UInt8>) -> Int? {
    let negative = text.first == UInt8(ascii: "-")
    let digits = negative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    guard !digits.isEmpty, digits.count <= 18 else { return nil }
    var value = 0
    for byte in digits {
      guard (48...57).contains(byte) else { return nil }
      value = value * 10 + Int(byte - 48)
    }
    return negative ? -value : value
  }

  private var shownKey: String { String(decoding: group.key, as: UTF8.self) }
}
