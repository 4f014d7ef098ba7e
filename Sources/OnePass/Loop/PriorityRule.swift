import OnePassCore
import OnePassReplay

/// When priorities are computed, and from which losses. Whatever the priority function gives, the memory gets a priority that
/// it can hold.
struct PriorityRule {
  let function: any PriorityFunction
  let timing: PriorityTiming
  /// The mean loss of the memory at the beginning of the step, where ``comparesWithMean``.
  var memoryMean: Double?

  init(_ function: any PriorityFunction, timing: PriorityTiming) {
    self.function = function
    self.timing = timing
  }

  /// Whether the function needs the mean loss of the memory.
  var comparesWithMean: Bool { function.basis == .memoryMean }

  /// Whether the priorities of all items are computed again before each step's draws.
  var changesEveryStep: Bool { timing == .current || timing == .refreshed && comparesWithMean }

  /// Whether items get new losses and priorities when they are replayed.
  var followsReplays: Bool { timing == .refreshed }

  /// The priority that follows from a loss.
  /// - Throws: `OnePassError` (`usage`) if the function gives no finite number from 0 on.
  func priority(ofLoss loss: Float, _ progress: RunProgress) throws -> Float {
    try priority(of: context(loss), progress)
  }

  /// The loss that is kept of a replayed item, and its priority.
  /// - Parameters:
  ///   - kept: The loss that was kept of it so far.
  ///   - loss: Its loss in the replay.
  /// - Throws: `OnePassError` (`usage`), as above.
  func refreshed(
    _ kept: Float, by loss: Float, _ progress: RunProgress
  ) throws -> (loss: Float, priority: Float) {
    let keepsAverage = function.basis == .ownAverage
    let losses = context(loss, average: keepsAverage ? kept : nil)
    return (keepsAverage ? Float(losses.nextAverage) : loss, try priority(of: losses, progress))
  }

  private func context(_ loss: Float, average: Float? = nil) -> LossContext {
    LossContext(loss: Double(loss), ownAverage: average.map { Double($0) }, memoryMean: memoryMean)
  }

  private func priority(of losses: LossContext, _ progress: RunProgress) throws -> Float {
    let value = function.priority(of: losses, progress: progress)
    let priority = Float(value)
    guard priority.isFinite, priority >= 0 else {
      throw OnePassError(
        .usage,
        "The priority function \(function.name) gives \(value) for a loss of \(Float(losses.loss)) at "
          + "\(progress.fraction) of the run: a priority is finite and not negative.")
    }
    return priority
  }
}

extension ReplayMemory {
  /// Computes the priorities again that change before each step's draws.
  mutating func prioritise(by rule: inout PriorityRule, _ progress: RunProgress) throws {
    if rule.comparesWithMean { rule.memoryMean = meanLoss }
    if rule.changesEveryStep { try reprioritise { try rule.priority(ofLoss: $0, progress) } }
  }

  /// Gives replayed items new losses and priorities, where these follow replays.
  mutating func update(
    _ replayed: [DrawnExample], losses: [Float], by rule: PriorityRule, _ progress: RunProgress
  ) throws {
    guard rule.followsReplays else { return }
    for (drawn, loss) in zip(replayed, losses) {
      try refresh(drawn) { kept in try rule.refreshed(kept, by: loss, progress) }
    }
  }
}
