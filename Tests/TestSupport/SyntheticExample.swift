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

/// Random bytes by a number (a linear congruential generator), of which no two are alike.
public func noise(_ seed: Int, count: Int) -> [UInt8] {
  var state = UInt64(seed + 1)
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(state >> 56)
  }
}
