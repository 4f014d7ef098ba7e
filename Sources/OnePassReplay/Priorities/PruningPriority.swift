import OnePassCore

/// P = 1 − r if the loss is below the mean of the memory, else 1: learned items are drawn less often.
///
/// Importance weights give such an item 1 / (1 − r) times the weight of others, so that the expected gradient remains that of the
/// whole memory. InfoBatch omits the pruned examples of an epoch, which saves their passes. A run with replay always makes k
/// passes: the saved draws go to the other items.
///
/// As in InfoBatch, the mean is over the last losses, here of the items in the memory. At the end of the run nothing is pruned,
/// so that all items are trained alike.
///
/// ```swift
/// let priority = PruningPriority(share: 0.5)
/// let losses = LossContext(loss: 0.2, memoryMean: 0.9)
/// print(priority.priority(of: losses, progress: RunProgress(step: 50, of: 100)))  // 0.5
/// ```
///
/// Source: Qin et al. 2024, "InfoBatch", section 2, including r = 0.5 and δ = 0.875.
public struct PruningPriority: PriorityFunction {
  /// r, the fraction of draws by which learned items are reduced, 0 ..< 1.
  public let share: Double
  /// δ, the fraction of the run after which nothing is pruned, 0 … 1.
  public let end: Double

  /// Creates the function.
  /// - Parameters:
  ///   - share: r, 0 ..< 1.
  ///   - end: δ, 0 … 1.
  /// - Precondition: Both are in their ranges.
  public init(share: Double = 0.5, end: Double = 0.875) {
    precondition(
      (0..<1).contains(share) && (0...1).contains(end),
      "The share must be in 0 ..< 1, and the end in 0 ... 1.")
    self.share = share
    self.end = end
  }

  public var basis: PriorityBasis { .memoryMean }

  public func priority(loss: Double, progress: RunProgress) -> Double { 1 }

  public func priority(of losses: LossContext, progress: RunProgress) -> Double {
    guard let mean = losses.memoryMean, losses.loss < mean, progress.fraction < end else {
      return priority(loss: losses.loss, progress: progress)
    }
    return 1 - share
  }
}
