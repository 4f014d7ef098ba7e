import OnePassCore

extension Example {
  /// An example whose bytes and label follow from its id.
  public static func synthetic(_ id: Int, label: Int? = nil, bytes: Int = 16, classes: Int = 10) -> Example {
    Example(
      id: id, label: label ?? id % classes,
      image: EncodedImage(bytes: (0..<bytes).map { UInt8(truncatingIfNeeded: id &* 31 &+ $0) }))
  }
}
