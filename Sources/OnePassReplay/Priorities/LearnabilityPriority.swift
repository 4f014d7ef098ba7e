import OnePassCore

/// P = 1 − α·exp(−|ℓ − ℓ̄|): what has just changed is replayed, what stays as it is seldom.
///
/// ℓ̄ is the running average of the item's own losses (``LossContext/ownAverage``). What is known stays easy and what cannot be
/// learned, such as a wrong label, stays hard: both change little and are drawn seldom, where ``LossPriority`` would replay the
/// latter for ever. An item without history has priority 1, as new transitions have the highest in prioritised experience replay
/// (Schaul et al. 2016). α is that of ``LossPriority``.
///
/// Source: learning progress as a reward (Schmidhuber 1991; Graves et al. 2017); compare the reducible loss of Mindermann et
/// al. 2022, for which a second network is trained. Here nothing passes the network but the replays themselves.
public struct LearnabilityPriority: PriorityFunction {
  public let smoothing: SmoothingSchedule

  public init(smoothing: SmoothingSchedule = .full) { self.smoothing = smoothing }

  public var basis: PriorityBasis { .ownAverage }

  public func priority(loss: Double, progress: RunProgress) -> Double { 1 }

  public func priority(of losses: LossContext, progress: RunProgress) -> Double {
    guard let average = losses.ownAverage else { return priority(loss: losses.loss, progress: progress) }
    // Two infinite losses are alike.
    let change = losses.loss == average ? 0 : abs(losses.loss - average)
    return LossPriority(smoothing: smoothing).priority(loss: change, progress: progress)
  }
}
