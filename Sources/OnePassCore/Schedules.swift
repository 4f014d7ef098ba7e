import Foundation

/// The growth of the priority's smoothing factor α with the progress of a run (Hu et al. 2021, section 3.2).
///
/// ```swift
/// let alpha = SmoothingSchedule.full.alpha(at: RunProgress(step: 500, of: 1_000))  // 0.29
/// ```
public enum SmoothingSchedule: String, CaseIterable, Sendable, Codable {
  /// α(T) = 1 − cos(π/2 · T/T_max), which grows from 0 to 1 as the paper's text states. The default.
  case full
  /// α(T) = 1 − cos(T/T_max), exactly the paper's formula, which ends at 1 − cos 1 ≈ 0.46.
  case literal

  /// Returns α, 0 … 1, for the given progress.
  public func alpha(at progress: RunProgress) -> Double {
    switch self {
    case .full: 1 - cos(.pi / 2 * progress.fraction)
    case .literal: 1 - cos(progress.fraction)
    }
  }
}

/// A learning rate schedule over the updates of a run, as a fraction of the peak learning rate.
///
/// An optional linear warm-up (Goyal et al. 2017) is followed by the shape.
///
/// ```swift
/// let schedule = LearningRateSchedule(.trapezoid, warmUp: 0.05, coolDown: 0.3)
/// let learningRate = 0.1 * schedule.factor(ofUpdate: 0, of: 10_000)
/// ```
public struct LearningRateSchedule: Hashable, Sendable {
  /// The shape of a schedule after the warm-up.
  public enum Shape: String, CaseIterable, Codable, Sendable {
    /// Cosine decay to 0 (Loshchilov and Hutter 2017, without restarts), as in Hu et al. 2021. The default.
    case cosine
    /// Linear decay to 0.
    case linear
    /// Constant; the only shape that does not depend on the length of the stream.
    case constant
    /// Constant, then a linear cool-down to 0 at the end (Hägele et al. 2024).
    ///
    /// The length of the stream is needed only when the cool-down starts.
    case trapezoid
    /// A trapezoid whose cool-down starts early if the run is asked to end: for a stream without an end.
    case onDemand = "on-demand"

    /// Whether the shape is constant with a cool-down at the end.
    package var coolsDown: Bool { self == .trapezoid || self == .onDemand }
  }

  /// The shape after the warm-up.
  public let shape: Shape
  /// The fraction of all updates in the warm-up, 0 … 1.
  public let warmUp: Double
  /// The fraction of all updates in the cool-down, 0 … 1; used by ``Shape/trapezoid`` and ``Shape/onDemand``.
  public let coolDown: Double

  /// Creates a schedule from its shape and the lengths of its warm-up and cool-down.
  /// - Parameters:
  ///   - shape: The shape after the warm-up.
  ///   - warmUp: The fraction of all updates in the warm-up, 0 … 1.
  ///   - coolDown: The fraction of all updates in the cool-down, 0 … 1; used by `trapezoid` and `onDemand`.
  /// - Precondition: The fractions are within their ranges. Those of `trapezoid` and `onDemand` sum to at most 1.
  public init(_ shape: Shape = .cosine, warmUp: Double = 0, coolDown: Double = 0.2) {
    precondition(
      (0...1).contains(warmUp) && (0...1).contains(coolDown)
        && (!shape.coolsDown || warmUp + coolDown <= 1),
      "warmUp and coolDown must be in 0 ... 1, with a sum of at most 1 for a shape that cools down.")
    self.shape = shape
    self.warmUp = warmUp
    self.coolDown = coolDown
  }

  /// Returns the learning rate of an update as a fraction of the peak, above 0 and at most 1.
  ///
  /// For update t of T, with a warm-up of W and a cool-down of C updates, both rounded to whole updates:
  ///
  /// | Phase | Fraction |
  /// |---|---|
  /// | Warm-up | (t + 1) / (W + 1), so that no update has a rate of 0 |
  /// | Cosine | (1 + cos π p) / 2, with p = (t − W) / (T − W) |
  /// | Linear | 1 − p |
  /// | Cool-down at the end | (T − t) / C |
  /// | Requested cool-down at update b | r · (b + C − t) / C, where r is the fraction scheduled for b |
  /// - Parameters:
  ///   - update: t, counted from 0.
  ///   - total: T, the planned number of updates.
  ///   - requested: A cool-down that was requested during the run, if any.
  /// - Precondition: `0 <= update < total`, and before the end of the requested cool-down.
  public func factor(ofUpdate update: Int, of total: Int, coolingDown requested: CoolDown? = nil) -> Double {
    precondition(update >= 0 && update < total, "update must be in 0 ..< total.")
    if let requested, update >= requested.updatesBefore {
      let left = requested.updatesBefore + requested.updates - update
      precondition(left > 0, "update must be before the end of the cool-down.")
      return factor(ofUpdate: requested.updatesBefore, of: total) * Double(left) / Double(requested.updates)
    }
    let rising = Int((warmUp * Double(total)).rounded())
    guard update >= rising else { return Double(update + 1) / Double(rising + 1) }
    let progress = Double(update - rising) / Double(total - rising)
    switch shape {
    case .cosine: return 0.5 * (1 + cos(.pi * progress))
    case .linear: return 1 - progress
    case .constant: return 1
    case .trapezoid, .onDemand: return min(1, Double(total - update) / Double(plannedCoolDown(of: total)))
    }
  }

  private func plannedCoolDown(of total: Int) -> Int { max(1, Int((coolDown * Double(total)).rounded())) }

  /// Returns the length in updates of a cool-down that starts now, so that it is the fraction c = ``coolDown`` of the run.
  ///
  /// After U updates it is U · c / (1 − c), rounded to at least 1 and at most the remaining updates.
  /// - Parameters:
  ///   - made: U, the number of updates made so far.
  ///   - total: The planned number of updates.
  /// - Returns: `nil` if the planned cool-down has already started.
  /// - Precondition: `0 <= made < total`.
  public func coolDown(after made: Int, of total: Int) -> Int? {
    precondition(made >= 0 && made < total, "made must be in 0 ..< total.")
    guard total - made >= plannedCoolDown(of: total) else { return nil }
    let wanted = (coolDown * Double(made) / (1 - coolDown)).rounded()
    return wanted < Double(total - made) ? max(1, Int(wanted)) : total - made
  }
}
