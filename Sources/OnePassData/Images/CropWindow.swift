import OnePassCore

/// Where a view lies in the resized image, the plane: `size` x `size` pixels from an origin, flipped or not.
///
/// With padding the origin may be negative; what lies outside the plane is black.
struct CropWindow: Hashable, Sendable {
  /// The side of the plane, in pixels.
  let plane: Int
  let size: Int
  let left: Int
  let top: Int
  let isFlipped: Bool

  init(plane: Int, size: Int, left: Int, top: Int, isFlipped: Bool) {
    (self.plane, self.size, self.left, self.top, self.isFlipped) = (plane, size, left, top, isFlipped)
  }

  /// The window that a pipeline takes for a view. The offsets are torchvision's: a random crop is uniform over
  /// all places, a central one rounds half a pixel to even.
  init(_ pipeline: ImagePipeline, _ view: ImagePipeline.View) {
    let padding =
      switch pipeline.geometry {
      case .resizeAndCrop: 0
      case .padAndCrop(let amount): amount
      }
    (plane, size) = (pipeline.plane, pipeline.size)
    let room = plane + 2 * padding - size
    switch view {
    case .augmented(let seed, let id, let visit):
      var generator = SeededGenerator(seed: seed, .augmentation, id, visit)
      top = generator.next(below: room + 1) - padding
      left = generator.next(below: room + 1) - padding
      isFlipped = generator.nextBool()
    case .centre:
      top = Int((Double(room) / 2).rounded(.toNearestOrEven)) - padding
      left = top
      isFlipped = false
    }
  }

  /// The plane's columns that are seen; none if the padding is wide enough to miss it.
  var columns: Range<Int> { visible(from: left) }
  /// The plane's rows that are seen.
  var rows: Range<Int> { visible(from: top) }

  private func visible(from start: Int) -> Range<Int> {
    let end = max(0, min(plane, start + size))
    return min(end, max(0, start))..<end
  }

  /// The first column of the output that shows the plane.
  var firstOutputColumn: Int { isFlipped ? left + size - columns.upperBound : columns.lowerBound - left }
}
