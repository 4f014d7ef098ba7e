import Foundation
import OnePassCore

/// P(x, y) = 1 − α·exp(−ℓ(x, y; θ)), the priority of error-prioritised replay (Hu et al. 2021, equation 1).
///
/// For the cross-entropy it equals 1 − α·(predicted probability of the true label). α grows from 0 during the run, because
/// losses of an untrained model carry little information.
///
/// ```swift
/// let priority = LossPriority()
/// print(priority.priority(loss: 0.7, progress: RunProgress(step: 50, of: 100)))
/// ```
public struct LossPriority: PriorityFunction {
  /// The schedule of α.
  public let smoothing: SmoothingSchedule

  /// Creates the function with a schedule of α.
  public init(smoothing: SmoothingSchedule = .full) { self.smoothing = smoothing }

  public func priority(loss: Double, progress: RunProgress) -> Double {
    let alpha = smoothing.alpha(at: progress)
    // (1 − α) + α·(1 − e^−ℓ): the same value, without cancellation when α is near 1 and ℓ near 0.
    return max(0, (1 - alpha) - alpha * expm1(-loss))
  }
}
