import OnePassCore

/// P = 1 − r where the loss is below the mean of the memory, and 1 elsewhere: well-known items are drawn less often.
///
/// Importance weights then give such an item 1 / (1 − r) times the weight of others, so that the expected gradient stays that of
/// the whole memory. InfoBatch leaves the pruned examples of an epoch out and so saves their passes. A run with replay makes k
/// passes in any case: the draws that are saved go to the other items.
///
/// As in InfoBatch the mean is that of the losses which the examples had last, here those of the items in the memory, and
/// nothing is pruned at the end of the run, so that it is trained on all of them alike.
///
/// Source: Qin et al. 2024, "InfoBatch", section 2; r = 0.5 and δ = 0.875 are theirs.
public struct PruningPriority: PriorityFunction {
  /// r: the share of its draws that a well-known item loses, 0 … 1.
  public let share: Double
  /// δ: the share of the run after which nothing is pruned, 0 … 1.
  public let end: Double

  /// - Parameters:
  ///   - share: r, from 0 up to but not including 1.
  ///   - end: δ, 0 … 1.
  /// - Precondition: both lie in their ranges.
  public init(share: Double = 0.5, end: Double = 0.875) {
    precondition(
      (0..<1).contains(share) && (0...1).contains(end), "What is pruned is a share of the draws and the run.")
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
