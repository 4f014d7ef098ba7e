import Foundation
import OnePassCore

/// The parts of samples that a reader of shards uses, and how it reads them.
struct SampleFields {
  let labels: ShardLabels
  let labelKey: LabelKey
  let subjectKey: SubjectKey?
  /// Whether the label is the `.cls` entry.
  let labelIsEntry: Bool
  /// Whether the label is the folder.
  let labelIsFolder: Bool
  /// Whether the metadata of a sample is read.
  let needsMetadata: Bool

  init(labels: ShardLabels, labelKey: LabelKey = .entry, subjectKey: SubjectKey? = nil) {
    (self.labels, self.labelKey, self.subjectKey) = (labels, labelKey, subjectKey)
    labelIsEntry = labelKey == .entry
    labelIsFolder = labelKey == .folder
    var needsMetadata = !labelIsEntry && !labelIsFolder
    if case .field = subjectKey { needsMetadata = true }
    self.needsMetadata = needsMetadata
  }

  /// The maximum sizes of entries in bytes.
  static let largestLabel = 4096
  static let largestMetadata = 1 << 20

  /// The parts of an entry that carries the label.
  func isLabel(_ part: SampleName.Part) -> Bool {
    switch (part, labelKey) {
    case (.label, .entry), (.metadata, .field): true
    default: false
    }
  }

  /// The class in the entry that carries the label.
  /// - Throws: `OnePassError` (`badData`) if it is not one of the classes or is missing in the metadata.
  func label(in bytes: [UInt8], sample key: [UInt8], of shard: String) throws -> Int {
    guard case .field(let field) = labelKey else { return try label(of: bytes, sample: key, of: shard) }
    guard let text = try Self.text(of: field, in: bytes, sample: key, of: shard) else {
      throw OnePassError.metadataWithoutLabel(field, sample: String(escaping: key), in: shard)
    }
    return try label(of: Array(text.utf8), sample: key, of: shard)
  }

  /// The class that the folder of a sample names.
  /// - Throws: `OnePassError` (`badData`) if there is no folder or it is not one of the classes.
  func label(ofFolderIn key: [UInt8], of shard: String) throws -> Int {
    guard let end = key.lastIndex(of: slash), end > 0 else {
      throw OnePassError.sampleWithoutFolder(String(escaping: key), in: shard)
    }
    let start = key[..<end].lastIndex(of: slash).map { $0 + 1 } ?? 0
    return try label(of: Array(String(escaping: key[start..<end]).utf8), sample: key, of: shard)
  }

  private func label(of text: [UInt8], sample key: [UInt8], of shard: String) throws -> Int {
    if let label = labels.label(of: text, { "\(shard): sample \(String(escaping: key))" }) {
      return label
    }
    throw OnePassError.unknownSampleLabel(
      String(escaping: ShardLabels.trimmed(text)), sample: String(escaping: key), in: shard,
      classNames: labels.names?.count ?? 0)
  }

  /// The subject that metadata names; `nil` if the subject is not a field or the field is missing.
  func subject(in bytes: [UInt8], sample key: [UInt8], of shard: String) throws -> String? {
    guard case .field(let field) = subjectKey else { return nil }
    return try Self.text(of: field, in: bytes, sample: key, of: shard)
  }

  /// The subject that the key of a sample names.
  func subject(ofKey key: [UInt8]) -> String? {
    subjectKey?.subject(inPath: String(escaping: key))
  }

  /// The field of a `.json` entry, a string or a number, as text.
  private static func text(
    of field: String, in bytes: [UInt8], sample key: [UInt8], of shard: String
  ) throws -> String? {
    guard let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
      throw OnePassError.metadataIsNoObject(sample: String(escaping: key), in: shard)
    }
    return (object[field] as? String) ?? (object[field] as? NSNumber)?.stringValue
  }

  /// The field of metadata that may be the label: `label`, `cls` or `class`.
  static func labelField(in bytes: [UInt8]) -> String? {
    let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    return ["label", "cls", "class"].first { object?[$0] is String || object?[$0] is NSNumber }
  }
}

/// A sample of which a part is missing where the reader expects it.
struct SampleGap: Error {
  enum Part { case image, label }
  let missing: Part
  /// The key of the sample, as shown.
  let key: String

  /// The error about a shard that has been read completely.
  /// - Parameter field: A field of the metadata that may be the label.
  func error(in shard: String, labelKey: LabelKey, field: String?) -> OnePassError {
    guard missing == .label else { return .sampleWithoutImage(key, in: shard) }
    if let field { return .sampleWithLabelInMetadata(key, in: shard, field: field) }
    return .sampleWithoutLabel(key, in: shard, labelKey: labelKey)
  }
}
