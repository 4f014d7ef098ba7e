/// What the path of an archive's entry says: which sample it belongs to and what part of it it is.
///
/// As in the webdataset library: the key is the path up to the first dot of the file name, what follows is the
/// suffix, and entries without a dot or below a `__name__` are none of a sample. Unlike there, files whose
/// name begins with a dot are ignored (they are droppings of file managers).
struct SampleName {
  /// The number of bytes of the path that are the key.
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
    /// Which extension it is, so that a second one of the same name is noticed.
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

  /// Equality in which the case of ASCII letters does not count.
  private static func equal(_ lowercase: [UInt8], _ other: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    guard lowercase.count == other.count else { return false }
    for (a, b) in zip(lowercase, other) where a != b | 0x20 { return false }
    return true
  }

  /// Whether the first component is of the form `__name__`.
  private static func isMetadata(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
    let underscore = UInt8(ascii: "_")
    guard path.count >= 4, path[0] == underscore, path[1] == underscore else { return false }
    let first = path[..<(path.firstIndex(of: slash) ?? path.count)]
    return first.count >= 4 && first.suffix(2).allSatisfy { $0 == underscore }
  }
}
