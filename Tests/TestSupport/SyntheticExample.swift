import OnePassCore

extension Example {
  /// Returns an example whose bytes and label are functions of its ID.
  public static func synthetic(_ id: Int, label: Int? = nil, bytes: Int = 16, classes: Int = 10) -> Example {
    let first = (id &* 31) & 255
    let image =
      first + bytes <= ramp.count
      ? Array(ramp[first..<first + bytes]) : (first..<first + bytes).map { UInt8(truncatingIfNeeded: $0) }
    return Example(id: id, label: label ?? id % classes, image: EncodedImage(bytes: image))
  }

  /// The bytes 0 to 255, repeated, from which images are copied. Tests are not optimised, and create gigabytes of them.
  private static let ramp = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
}
