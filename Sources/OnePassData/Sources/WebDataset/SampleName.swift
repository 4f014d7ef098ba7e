import OnePassCore

/// The parts of an entry's path: the key of its sample, and the kind of the entry.
///
/// As in the webdataset library, the key is the path up to the first dot of the file name, and the suffix is the
/// rest. Entries without a dot or below a folder `__name__` belong to no sample. Unlike in that library, files whose
/// name starts with a dot are left out, because file managers leave such files behind.
struct SampleName {
  /// The length of the key in bytes, from the start of the path.
  let keyLength: Int
  /// The length of the path up to the last dot.
  let stemLength: Int
  let part: Part

  enum Part: Equatable {
    case image(Suffix)
    case label(Suffix)
    case metadata(Suffix)
  }

  /// Whether the suffix is the extension alone (`a.jpg`) or only ends in it (`a.left.jpg`).
  enum Suffix: Equatable {
    /// With the index of the extension, to detect a second entry of the same name.
    case whole(UInt8)
    case last
  }

  private static let extensions: [[UInt8]] = (["cls", "json"] + ImageNames.parts).map { Array($0.utf8) }

  /// Whether the suffix is the extension alone.
  var isExact: Bool { stemLength == keyLength }

  /// Decides about an entry by its path.
  /// - Parameter others: The reason for entries with other extensions.
  static func judge(
    _ path: [UInt8], others: (Slice<UnsafeBufferPointer<UInt8>>) -> LeftOutReason
  ) -> Verdict<SampleName> {
    path.withUnsafeBufferPointer { judge($0, others: others) }
  }

  private static func judge(
    _ path: UnsafeBufferPointer<UInt8>, others: (Slice<UnsafeBufferPointer<UInt8>>) -> LeftOutReason
  ) -> Verdict<SampleName> {
    let nameStart = path.lastIndex(of: slash).map { $0 + 1 } ?? 0
    guard let dot = path[nameStart...].firstIndex(of: UInt8(ascii: ".")) else {
      return .leaveOut(.noExtension)
    }
    guard dot > nameStart else { return .leaveOut(.hidden) }
    if let reason = folderReason(path) { return .leaveOut(reason) }
    let lastDot = path.lastIndex(of: UInt8(ascii: ".")) ?? dot
    let suffix = path[(lastDot + 1)...]
    guard let index = extensions.firstIndex(where: { equal($0, suffix) }) else {
      return .leaveOut(others(path[nameStart...]))
    }
    let kind: Suffix = lastDot == dot ? .whole(UInt8(index)) : .last
    return .take(
      SampleName(
        keyLength: dot, stemLength: lastDot,
        part: index == 0 ? .label(kind) : index == 1 ? .metadata(kind) : .image(kind)))
  }

  /// Equality that ignores the case of ASCII letters.
  private static func equal(_ lowercase: [UInt8], _ other: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    guard lowercase.count == other.count else { return false }
    for (a, b) in zip(lowercase, other) where a != b | 0x20 { return false }
    return true
  }

  /// Why the entries of the first folder in the path are left out; `nil` if they are not.
  private static func folderReason(_ path: UnsafeBufferPointer<UInt8>) -> LeftOutReason? {
    let underscore = UInt8(ascii: "_")
    // Names of such folders start with one of these characters, so that nearly all paths need one comparison.
    guard let start = path.first,
      start == underscore || start == UInt8(ascii: "@") || start == UInt8(ascii: "$")
    else { return nil }
    let first = path[..<(path.firstIndex(of: slash) ?? path.count)]
    if ToolFolders.contains(first) { return .toolFolder }
    let isMetadata =
      first.count >= 4 && first.prefix(2).allSatisfy { $0 == underscore }
      && first.suffix(2).allSatisfy { $0 == underscore }
    return isMetadata ? .metadataFolder : nil
  }
}
