/// How large training images are along a run: small at first, then growing to the full side.
///
/// The side grows in proportion to the steps, in multiples of 4 pixels (of 32 where the full side is more than 64), and is the
/// full one from the middle of the run on. The compute of an image goes with the square of its side.
///
/// Source: FFCV's recipe for ResNets, after Howard 2018 ("progressive resizing"); there the last epochs have the full side too.
///
/// ```swift
/// let course = ProgressiveResolution(from: 0.5)
/// course.side(at: RunProgress(step: 0, of: 100), full: 32)  // 16
/// ```
public struct ProgressiveResolution: Hashable, Sendable {
  /// The share of the run's steps after which images have the full side.
  public static let growth = 0.5

  /// The share of the full side with which a run begins, more than 0 and at most 1.
  public let start: Double

  /// - Parameter start: the share of the full side with which a run begins; 1 for the full side all along.
  /// - Precondition: more than 0 and at most 1.
  public init(from start: Double) {
    precondition(start > 0 && start <= 1, "A run begins with a part of the full side.")
    self.start = start
  }

  /// The side of the images of a step, in pixels: S · (s + (1 − s) · min(1, T / (T_max / 2))), to the nearest multiple.
  /// - Parameters:
  ///   - progress: T / T_max.
  ///   - full: S, the full side; it need not be a multiple.
  /// - Returns: At least one multiple, unless the full side is less, and at most the full side.
  public func side(at progress: RunProgress, full: Int) -> Int {
    guard start < 1, progress.fraction < Self.growth else { return full }
    let multiple = full > 64 ? 32 : 4
    let share = start + (1 - start) * progress.fraction / Self.growth
    let multiples = max(1, Int((share * Double(full) / Double(multiple)).rounded()))
    return min(full, multiples * multiple)
  }
}
