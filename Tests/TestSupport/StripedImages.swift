import OnePassCore

/// Grey images that a small network learns quickly: class c has stripes of period c + 2, with noise.
public struct StripedImages: Hashable, Sendable {
  public let count: Int
  public let classes: Int
  public let side: Int
  public let seed: UInt64

  public init(count: Int, classes: Int = 4, side: Int = 12, seed: UInt64 = 1) {
    self.count = count
    self.classes = classes
    self.side = side
    self.seed = seed
  }

  public func label(_ index: Int) -> Int {
    var chance = SeededGenerator(seed: seed, .test, index)
    return chance.next(below: classes)
  }

  public func pixels(_ index: Int) -> [UInt8] {
    var chance = SeededGenerator(seed: seed, .test, index, 1)
    let period = label(index) + 2
    return (0..<side * side).map { position in
      let isBright = (position / side) % period == 0
      return UInt8((isBright ? 180 : 30) + chance.next(below: 50))
    }
  }

  private static let files = Shared<StripedImages, (images: [UInt8], labels: [UInt8])>()

  /// Writes an idx pair, `train` or `t10k`, as the MNIST files are.
  public func write(to folder: TemporaryFolder, prefix: String = "train") throws {
    func bigEndian(_ value: Int) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    // Many tests use the same images.
    let files = try Self.files.value(for: self) {
      let images = [0, 0, 8, 3] + bigEndian(count) + bigEndian(side) + bigEndian(side)
      let labels = [0, 0, 8, 1] + bigEndian(count)
      return (images + (0..<count).flatMap(pixels), labels + (0..<count).map { UInt8(label($0)) })
    }
    try folder.write(files.images, to: "\(prefix)-images-idx3-ubyte")
    try folder.write(files.labels, to: "\(prefix)-labels-idx1-ubyte")
  }
}
