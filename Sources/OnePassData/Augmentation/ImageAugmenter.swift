import CImages
import OnePassCore

/// Carries out an ``Augmentation`` on the levels of one image after the other, with memory that it uses again.
///
/// One per thread, not Sendable. Every choice is a function of (seed, id, visit), from a sequence of its own, so that crops
/// and flips are the same with and without.
final class ImageAugmenter {
  let augmentation: Augmentation
  private let side: Int
  private let channels: Int
  /// The mean colour, which normalisation makes about 0.
  private let mean: [UInt8]
  private let tables: LevelTables
  private let grey = ScratchBuffer<UInt8>(zero: 0)
  /// The image, and where operations that need it whole put their result.
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

  /// The levels of the image, `[side, side, channels]`: to be filled before ``apply(seed:id:visit:)``, and its result after.
  var levels: UnsafeMutablePointer<UInt8> { current.base }

  /// Whether a view of an image is augmented. The centre never is.
  func isNeeded(for view: ImagePipeline.View) -> Bool {
    guard case .augmented(_, _, let visit) = view else { return false }
    return augmentation.strength(visit: visit) > 0
  }

  /// Augments ``levels`` as this visit of an example is due.
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
      // A grey image has no colour to change.
      guard channels == 3 else { return }
      ColourKernels.luma(ofRGB: current.base, into: grey.base, count: side * side)
      return cimages_saturate(current.base, grey.base, Float(factor), side * side)
    case .sharpness(let factor):
      cimages_sharpen(current.base, Int32(side), Int32(channels), Float(factor), next.base)
      return swap(&current, &next)
    case .shearX, .shearY, .translateX, .translateY, .rotate:
      preconditionFailure("An operation that moves pixels has a source for each.")
    }
    tables.apply(to: current.base, count: count)
  }

  /// The mean of the image's grey, rounded to a level, as `ImageEnhance.Contrast` takes it.
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

  /// Gives a square about a pixel the mean colour, as much of it as lies within the image.
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
