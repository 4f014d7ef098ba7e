import OnePassCore

extension Example {
  /// An example whose bytes and label follow from its id.
  public static func synthetic(_ id: Int, label: Int? = nil, bytes: Int = 16, classes: Int = 10) -> Example {
    let first = (id &* 31) & 255
    let image =
      first + bytes <= ramp.count
      ? Array(ramp[first..<first + bytes]) : (first..<first + bytes).map { UInt8(truncatingIfNeeded: $0) }
    return Example(id: id, label: label ?? id % classes, image: EncodedImage(bytes: image))
  }

  /// 0 to 255 again and again, to copy from: tests are not optimised, and make gigabytes of it. Few images are larger.
  private static let ramp = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
}
