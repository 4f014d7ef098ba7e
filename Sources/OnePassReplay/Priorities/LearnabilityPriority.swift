import OnePassCore

/// P = 1 − α·exp(−|ℓ − ℓ̄|): prioritises items whose loss has just changed.
///
/// ℓ̄ is the running average of the item's losses (``LossContext/ownAverage``). Learned items stay easy, and items that cannot be
/// learned, such as those with a wrong label, stay hard. Both change little and are drawn rarely; ``LossPriority`` would replay
/// the latter forever. An item without history has priority 1, as new transitions have the highest priority in prioritised
/// experience replay (Schaul et al. 2016). α is that of ``LossPriority``.
///
/// ```swift
/// let priority = LearnabilityPriority()
/// let losses = LossContext(loss: 0.4, ownAverage: 1.4)
/// print(priority.priority(of: losses, progress: RunProgress(step: 50, of: 100)))  // 0.63
/// ```
///
/// Source: learning progress as a reward (Schmidhuber 1991; Graves et al. 2017). Compare the reducible loss of Mindermann et
/// al. 2022, which needs a second network; this one needs no additional forward passes.
public struct LearnabilityPriority: PriorityFunction {
  /// The schedule of α.
  public let smoothing: SmoothingSchedule

  /// Creates the function with a schedule of α.
  public init(smoothing: SmoothingSchedule = .full) { self.smoothing = smoothing }

  public var basis: PriorityBasis { .ownAverage }

  public func priority(loss: Double, progress: RunProgress) -> Double { 1 }

  public func priority(of losses: LossContext, progress: RunProgress) -> Double {
    guard let average = losses.ownAverage else { return priority(loss: losses.loss, progress: progress) }
    // ∞ − ∞ is NaN, and two infinite losses are equal.
    let change = losses.loss == average ? 0 : abs(losses.loss - average)
    return LossPriority(smoothing: smoothing).priority(loss: change, progress: progress)
  }
}
