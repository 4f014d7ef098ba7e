import CImages
import OnePassCore

/// Applies an ``Augmentation`` to the levels of images, reusing its memory.
///
/// One per thread, not Sendable. Every choice is a function of (seed, id, visit). It uses a separate random sequence, so
/// that crops and flips are the same with and without augmentation.
final class ImageAugmenter {
  let augmentation: Augmentation
  private let side: Int
  private let channels: Int
  /// The mean colour, which is about 0 after normalisation.
  private let mean: [UInt8]
  private let tables: LevelTables
  private let grey = ScratchBuffer<UInt8>(zero: 0)
  /// The image, and the result of operations that cannot work in place.
  private var current = ScratchBuffer<UInt8>(zero: 0)
  private var next = ScratchBuffer<UInt8>(zero: 0)

  init(_ augmentation: Augmentation, pipeline: ImagePipeline) {
    self.augmentation = augmentation
    (side, channels) = (pipeline.size, pipeline.channels)
    mean = pipeline.normalisation.mean.map { UInt8(max(0, min(255, (255 * $0).rounded()))) }
    tables = LevelTables(channels: channels)
    current.reserve(count)
    next.reserve(count)
    grey.reserve(side * side)
  }

  private var count: Int { side * side * channels }

  /// The levels of the image, `[side, side, channels]`: the input and the output of ``apply(seed:id:visit:)``.
  var levels: UnsafeMutablePointer<UInt8> { current.base }

  /// Whether a view is augmented. The centre never is.
  func isNeeded(for view: ImagePipeline.View) -> Bool {
    guard case .augmented(_, _, let visit) = view else { return false }
    return augmentation.strength(visit: visit) > 0
  }

  /// Augments ``levels`` for a visit of an example.
  func apply(seed: UInt64, id: Int, visit: Int) {
    let strength = augmentation.strength(visit: visit)
    var generator = SeededGenerator(seed: seed, .imageOperations, id, visit)
    if let policy = augmentation.choice.policy {
      for _ in 0..<policy.count {
        let operation = policy.operation(
          side: side, magnitude: augmentation.magnitude, strength: strength, using: &generator)
        if let operation { apply(operation) }
      }
    }
    guard augmentation.choice.cutsOut else { return }
    cutOut(
      Int((strength * Double(side) / 2).rounded()), row: generator.next(below: side),
      column: generator.next(below: side))
  }

  func apply(_ operation: ImageOperation) {
    if let source = operation.source(side: side) {
      cimages_affine(current.base, Int32(side), Int32(channels), source, next.base)
      return swap(&current, &next)
    }
    switch operation {
    case .brightness(let factor): tables.blend(with: 0, factor: factor)
    case .contrast(let factor): tables.blend(with: meanGrey, factor: factor)
    case .posterise(let bits): tables.fill { UInt8($0 & (0xFF << (8 - bits))) }
    case .solarise(let threshold): tables.fill { UInt8(Double($0) < threshold ? $0 : 255 - $0) }
    case .autoContrast: tables.stretch(current.base, count: count)
    case .equalise: tables.equalise(current.base, count: count)
    case .colour(let factor):
      // Saturation has no effect on a grey image.
      guard channels == 3 else { return }
      ColourKernels.luma(ofRGB: current.base, into: grey.base, count: side * side)
      return cimages_saturate(current.base, grey.base, Float(factor), side * side)
    case .sharpness(let factor):
      cimages_sharpen(current.base, Int32(side), Int32(channels), Float(factor), next.base)
      return swap(&current, &next)
    case .shearX, .shearY, .translateX, .translateY, .rotate:
      preconditionFailure("An operation that moves pixels has a source.")
    }
    tables.apply(to: current.base, count: count)
  }

  /// The mean luma of the image, rounded to a level, as in `ImageEnhance.Contrast`.
  private var meanGrey: Int {
    let pixels = side * side
    var plane = UnsafePointer(current.base)
    if channels == 3 {
      ColourKernels.luma(ofRGB: current.base, into: grey.base, count: pixels)
      plane = UnsafePointer(grey.base)
    }
    var sum = 0
    for pixel in 0..<pixels { sum &+= Int(plane[pixel]) }
    return Int(Double(sum) / Double(pixels) + 0.5)
  }

  /// Fills the visible part of a square around a pixel with the mean colour.
  func cutOut(_ size: Int, row: Int, column: Int) {
    func visible(_ middle: Int) -> Range<Int> {
      let start = middle - size / 2
      return max(0, start)..<max(0, min(side, start + size))
    }
    for row in visible(row) {
      for column in visible(column) {
        for channel in 0..<channels {
          current.base[(row * side + column) * channels + channel] = mean[channel]
        }
      }
    }
  }
}
