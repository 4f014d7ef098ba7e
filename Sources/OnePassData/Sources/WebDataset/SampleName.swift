/// The parts of an entry's path: the key of its sample, and the kind of the entry.
///
/// As in the webdataset library, the key is the path up to the first dot of the file name, and the suffix is the
/// rest. Entries without a dot or below a folder `__name__` belong to no sample. Unlike in that library, files whose
/// name starts with a dot are ignored, because file managers leave such files behind.
struct SampleName {
  /// The length of the key in bytes, from the start of the path.
  let keyLength: Int
  let part: Part

  enum Part: Equatable {
    case image(Suffix)
    case label(Suffix)
    case metadata(Suffix)
    case other
  }

  /// Whether the suffix is the extension alone (`a.jpg`) or only ends in it (`a.left.jpg`).
  enum Suffix: Equatable {
    /// With the index of the extension, to detect a second entry of the same name.
    case whole(UInt8)
    case last
  }

  private static let extensions: [[UInt8]] = ["cls", "json", "jpg", "jpeg", "png", "img", "image"].map {
    Array($0.utf8)
  }

  init?(_ path: UnsafeBufferPointer<UInt8>) {
    let nameStart = path.lastIndex(of: slash).map { $0 + 1 } ?? 0
    guard let dot = path[nameStart...].firstIndex(of: UInt8(ascii: ".")), dot > nameStart else { return nil }
    guard !Self.isMetadata(path) else { return nil }
    keyLength = dot
    let lastDot = path.lastIndex(of: UInt8(ascii: ".")) ?? dot
    let suffix = path[(lastDot + 1)...]
    guard let index = Self.extensions.firstIndex(where: { Self.equal($0, suffix) }) else {
      part = .other
      return
    }
    let kind: Suffix = lastDot == dot ? .whole(UInt8(index)) : .last
    part = index == 0 ? .label(kind) : index == 1 ? .metadata(kind) : .image(kind)
  }

  /// Equality that ignores the case of ASCII letters.
  private static func equal(_ lowercase: [UInt8], _ other: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    guard lowercase.count == other.count else { return false }
    for (a, b) in zip(lowercase, other) where a != b | 0x20 { return false }
    return true
  }

  /// Whether the first component has the form `__name__`.
  private static func isMetadata(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
    let underscore = UInt8(ascii: "_")
    guard path.count >= 4, path[0] == underscore, path[1] == underscore else { return false }
    let first = path[..<(path.firstIndex(of: slash) ?? path.count)]
    return first.count >= 4 && first.suffix(2).allSatisfy { $0 == underscore }
  }
}
