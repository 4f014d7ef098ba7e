import OnePassCore

/// Where a view lies in the resized image, the plane: `size` x `size` pixels from an origin, flipped or not.
///
/// With padding the origin may be negative; what lies outside the plane is black.
///
/// The view may have a smaller `side` than the window: it then has all of the window, resampled.
struct CropWindow: Hashable, Sendable {
  /// The side of the plane, in pixels.
  let plane: Int
  let size: Int
  /// The side of the view, in pixels, at most `size`.
  let side: Int
  let left: Int
  let top: Int
  let isFlipped: Bool

  init(plane: Int, size: Int, side: Int? = nil, left: Int, top: Int, isFlipped: Bool) {
    (self.plane, self.size, self.left, self.top, self.isFlipped) = (plane, size, left, top, isFlipped)
    self.side = side ?? size
  }

  /// The window that a pipeline takes for a view. The offsets are torchvision's: a random crop is uniform over
  /// all places, a central one rounds half a pixel to even. Whatever the side of the view, the window is the same.
  init(_ pipeline: ImagePipeline, _ view: ImagePipeline.View, side: Int? = nil) {
    let padding =
      switch pipeline.geometry {
      case .resizeAndCrop: 0
      case .padAndCrop(let amount): amount
      }
    (plane, size, self.side) = (pipeline.plane, pipeline.size, side ?? pipeline.size)
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

  /// Whether the view has fewer pixels than the window.
  var isReduced: Bool { side < size }

  /// The columns of the resized image that are seen, which are the plane's; those of the view itself where it is reduced. None if
  /// the padding is wide enough to miss the plane.
  var columns: Range<Int> { visible(from: left) }
  /// The rows likewise.
  var rows: Range<Int> { visible(from: top) }

  private func visible(from start: Int) -> Range<Int> {
    if isReduced { return 0..<side }
    let end = max(0, min(plane, start + size))
    return min(end, max(0, start))..<end
  }

  /// The first column of the output that shows the plane.
  var firstOutputColumn: Int {
    if isReduced { return 0 }
    return isFlipped ? left + size - columns.upperBound : columns.lowerBound - left
  }

  /// The row of the output that shows one of ``rows``.
  func outputRow(of row: Int) -> Int { isReduced ? row : row - top }

  /// How an image of so many columns becomes ``columns``.
  func mapping(ofColumns count: Int) -> ResizeAxis.Mapping { mapping(of: count, from: left) }
  /// How an image of so many rows becomes ``rows``.
  func mapping(ofRows count: Int) -> ResizeAxis.Mapping { mapping(of: count, from: top) }

  private func mapping(of count: Int, from start: Int) -> ResizeAxis.Mapping {
    isReduced
      ? ResizeAxis.Mapping(input: count, plane: plane, first: start, size: size, output: side)
      : ResizeAxis.Mapping(input: count, output: plane)
  }
}
