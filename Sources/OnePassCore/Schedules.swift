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

/// Cosine decay of the learning rate to 0 over all updates (Loshchilov and Hutter 2017, without restarts).
public struct CosineDecay: Hashable, Sendable {
  /// The learning rate of the first update.
  public let initial: Double

  public init(initial: Double) { self.initial = initial }

  /// η(t) = η₀ · (1 + cos(π t/t_max)) / 2.
  public func learningRate(at progress: RunProgress) -> Double {
    initial * 0.5 * (1 + cos(.pi * progress.fraction))
  }
}
