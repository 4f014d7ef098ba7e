import OnePassCore

/// Noise images that are brighter with each class, to test a machine without data.
///
/// A row has the same image on every machine. Images are generated on request as raw RGB pixels, so that nothing
/// is decoded.
///
/// ```swift
/// let stream = ShuffledSource(
///   SyntheticTable(count: 1_000, size: 32, classCount: 10), specification: "synthetic:1000:32:10", seed: 1)
/// ```
public struct SyntheticTable: ExampleTable {
  /// The number of images.
  public let count: Int
  /// The number of classes.
  public let classCount: Int
  /// The names of the classes in label order; `nil` if none were given.
  public let classNames: [String]?
  /// The side of an image, in pixels.
  public let size: Int

  /// Creates a table of noise images.
  /// - Parameters:
  ///   - count: The number of images.
  ///   - size: The side of an image, in pixels.
  ///   - classCount: The number of classes.
  ///   - classNames: The names of the classes in label order.
  /// - Precondition: `count >= 1`, `size >= 1`, `classCount >= 2`.
  public init(count: Int, size: Int, classCount: Int, classNames: [String]? = nil) {
    precondition(
      count >= 1 && size >= 1 && classCount >= 2,
      "Synthetic data needs at least one image, one pixel and two classes.")
    self.count = count
    self.size = size
    self.classCount = classCount
    self.classNames = classNames
  }

  /// The class of the image in this row: `row % classCount`.
  public func label(at row: Int) -> Int { row % classCount }

  /// The image in this row as raw pixels, `[size, size, 3]`.
  public func image(at row: Int) -> EncodedImage {
    var chance = SeededGenerator(seed: 0, .syntheticImage, row)
    let brightness = UInt8(127 * label(at: row) / (classCount - 1))
    let bytes = [UInt8](unsafeUninitializedCapacity: size * size * 3) { buffer, filled in
      while filled < buffer.count {
        withUnsafeBytes(of: chance.next()) { noise in
          for byte in noise.prefix(buffer.count - filled) {
            buffer[filled] = byte / 2 + brightness
            filled += 1
          }
        }
      }
    }
    return EncodedImage(bytes: bytes, encoding: .pixels(width: size, height: size, channels: 3))
  }
}

/// `synthetic:COUNT:SIZE:CLASSES`.
func openSynthetic(_ request: SourceRequest) throws -> any ExampleSource {
  let form = "synthetic:COUNT:SIZE:CLASSES (for example synthetic:10000:250:1000)"
  let numbers = try request.requiredArgument(form).split(separator: ":", omittingEmptySubsequences: false)
    .map { Int($0) }
  guard numbers.count == 3, let count = numbers[0], let size = numbers[1], let classes = numbers[2],
    (1...Int(Int32.max)).contains(count), (1...4_096).contains(size), (2...65_535).contains(classes)
  else {
    throw OnePassError.impossibleSynthetic(request.specification, form: form)
  }
  guard request.classNames.map({ $0.count == classes }) ?? true else {
    throw OnePassError.classCountDiffers(
      in: request.specification, found: classes, expected: request.classNames?.count ?? 0)
  }
  return try request.shuffled(
    SyntheticTable(count: count, size: size, classCount: classes, classNames: request.classNames))
}
