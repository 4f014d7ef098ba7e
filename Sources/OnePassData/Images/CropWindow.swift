import OnePassCore

/// The crop of a view in the resized image, called the plane: `size` x `size` pixels from an origin, optionally flipped.
///
/// With padding the origin may be negative. Pixels outside the plane are black.
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

  /// The crop of a view in a pipeline. The offsets are torchvision's: a random crop is uniform over all positions,
  /// and the offset of a centre crop is rounded half to even.
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

  /// The visible columns of the plane; empty if the crop contains only padding.
  var columns: Range<Int> { visible(from: left) }
  /// The visible rows of the plane.
  var rows: Range<Int> { visible(from: top) }

  private func visible(from start: Int) -> Range<Int> {
    let end = max(0, min(plane, start + size))
    return min(end, max(0, start))..<end
  }

  /// The first output column that shows the plane.
  var firstOutputColumn: Int { isFlipped ? left + size - columns.upperBound : columns.lowerBound - left }
}
