import Foundation

/// How the smoothing factor α of the priority grows from 0 along the run (Hu et al. 2021, section 3.2).
public enum SmoothingSchedule: String, CaseIterable, Sendable, Codable {
  /// α(T) = 1 − cos(π/2 · T/T_max), which runs from 0 to 1 as the paper's text says. The default.
  case full
  /// α(T) = 1 − cos(T/T_max), the paper's formula to the letter, which ends at 1 − cos 1 ≈ 0.46.
  case literal

  /// α at a point of the run, 0 … 1.
  public func alpha(at progress: RunProgress) -> Double {
    switch self {
    case .full: 1 - cos(.pi / 2 * progress.fraction)
    case .literal: 1 - cos(progress.fraction)
    }
  }
}

/// The course of the learning rate over the updates of a run, as a share of its highest value.
///
/// It may rise along a line at first (Goyal et al. 2017); then comes its shape.
///
/// ```swift
/// let schedule = LearningRateSchedule(.trapezoid, warmUp: 0.05, coolDown: 0.3)
/// let learningRate = 0.1 * schedule.factor(ofUpdate: 0, of: 10_000)
/// ```
public struct LearningRateSchedule: Hashable, Sendable {
  /// What comes after the warm-up.
  public enum Shape: String, CaseIterable, Codable, Sendable {
    /// Falls to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts), as in the paper. The default.
    case cosine
    /// Falls to 0 along a line.
    case linear
    /// Stays: the only one that needs not know the stream's length.
    case constant
    /// Stays, and falls to 0 along a line at the end (Hägele et al. 2024): how long the stream is has to be known only
    /// when the cool-down begins.
    case trapezoid
    /// As a trapezoid, and falls to 0 before its time as soon as the run is asked to end: for a stream that has no end of its own.
    case onDemand = "on-demand"

    /// Whether it stays and falls at the end.
    package var coolsDown: Bool { self == .trapezoid || self == .onDemand }
  }

  public let shape: Shape
  /// The share of all updates over which the rate rises, 0 … 1.
  public let warmUp: Double
  /// Of a trapezoid, planned or on demand: the share of all updates over which the rate falls, 0 … 1.
  public let coolDown: Double

  /// - Parameters:
  ///   - shape: what comes after the warm-up.
  ///   - warmUp: the share of all updates over which the rate rises, 0 … 1.
  ///   - coolDown: of a trapezoid, planned or on demand, the share of all updates over which the rate falls, 0 … 1.
  /// - Precondition: the shares lie in their ranges; those of a trapezoid are together at most 1.
  public init(_ shape: Shape = .cosine, warmUp: Double = 0, coolDown: Double = 0.2) {
    precondition(
      (0...1).contains(warmUp) && (0...1).contains(coolDown)
        && (!shape.coolsDown || warmUp + coolDown <= 1),
      "The parts of a schedule are shares of a run.")
    self.shape = shape
    self.warmUp = warmUp
    self.coolDown = coolDown
  }

  /// The share of the highest learning rate with which an update is made, above 0 and at most 1.
  ///
  /// Of W updates of warm-up the t-th has (t + 1) / (W + 1), so that none is made with a rate of 0. Cosine and line then run
  /// over the T − W others: (1 + cos π p) / 2 and 1 − p, with p = (t − W) / (T − W). Of a cool-down over C updates the last
  /// ones have (T − t) / C. W and C are rounded to whole updates.
  ///
  /// A cool-down that was asked for at update b and takes C begins with the rate that b would have had, r: its updates have
  /// r · (b + C − t) / C.
  /// - Parameters:
  ///   - update: t, counted from 0.
  ///   - total: T, the updates of the run as it was planned.
  ///   - asked: A cool-down that was asked for.
  /// - Precondition: `0 <= update < total`, and not beyond the cool-down's end.
  public func factor(ofUpdate update: Int, of total: Int, coolingDown asked: CoolDown? = nil) -> Double {
    precondition(update >= 0 && update < total, "An update lies between a run's start and its end.")
    if let asked, update >= asked.updatesBefore {
      let left = asked.updatesBefore + asked.updates - update
      precondition(left > 0, "A run ends with its cool-down.")
      return factor(ofUpdate: asked.updatesBefore, of: total) * Double(left) / Double(asked.updates)
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

  /// The updates of a cool-down that is asked for now: with it, the run has made the share ``coolDown`` of them while it fell.
  ///
  /// After U updates they are U · c / (1 − c), rounded, at least 1 and at most those that are left; `nil` where the planned
  /// cool-down has begun already.
  /// - Parameters:
  ///   - made: U, the updates made so far.
  ///   - total: The updates of the run as it was planned.
  /// - Precondition: `0 <= made < total`.
  public func coolDown(after made: Int, of total: Int) -> Int? {
    precondition(made >= 0 && made < total, "A cool-down begins before a run's end.")
    guard total - made >= plannedCoolDown(of: total) else { return nil }
    let wanted = (coolDown * Double(made) / (1 - coolDown)).rounded()
    return wanted < Double(total - made) ? max(1, Int(wanted)) : total - made
  }
}
