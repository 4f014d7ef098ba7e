import Foundation
import OnePassCore

/// P(x, y) = 1 − α·exp(−ℓ(x, y; θ)), the priority of error-prioritised replay (Hu et al. 2021, equation 1).
///
/// For the cross-entropy it equals 1 − α·(the model's confidence in the true label). α grows from 0 along the
/// run because the loss says little while the model is untrained.
public struct LossPriority: PriorityFunction {
  public let smoothing: SmoothingSchedule

  public init(smoothing: SmoothingSchedule = .full) { self.smoothing = smoothing }

  public func priority(loss: Double, progress: RunProgress) -> Double {
    let alpha = smoothing.alpha(at: progress)
    // (1 − α) + α·(1 − e^−ℓ): the same value, without cancellation when α is near 1 and ℓ near 0.
    return max(0, (1 - alpha) - alpha * expm1(-loss))
  }
}
