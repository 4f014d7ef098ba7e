import OnePassCore
import OnePassReplay

/// When priorities are computed, and from which losses.
///
/// Every priority that reaches the memory is finite and at least 0.
struct PriorityRule {
  let function: any PriorityFunction
  let timing: PriorityTiming
  /// The mean loss of the memory at the start of the step, if ``comparesWithMean``.
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

  /// Returns the priority for a loss.
  /// - Throws: `OnePassError` (`usage`) if the function returns a number that is negative or not finite.
  func priority(ofLoss loss: Float, _ progress: RunProgress) throws -> Float {
    try priority(of: context(loss), progress)
  }

  /// Returns the new stored loss of a replayed item, and its priority.
  /// - Parameters:
  ///   - kept: The stored loss.
  ///   - loss: The loss of the replay.
  /// - Throws: `OnePassError` (`usage`), as `priority(ofLoss:_:)`.
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
      throw OnePassError.invalidPriority(
        value, from: function.name, loss: Float(losses.loss), progress: progress.fraction)
    }
    return priority
  }
}

extension ReplayMemory {
  /// Recomputes the priorities of all items, if they change with every step.
  mutating func prioritise(by rule: inout PriorityRule, _ progress: RunProgress) throws {
    if rule.comparesWithMean { rule.memoryMean = meanLoss }
    if rule.changesEveryStep { try reprioritise { try rule.priority(ofLoss: $0, progress) } }
  }

  /// Sets new losses and priorities of replayed items, if these follow replays.
  mutating func update(
    _ replayed: [DrawnExample], losses: [Float], by rule: PriorityRule, _ progress: RunProgress
  ) throws {
    guard rule.followsReplays else { return }
    for (drawn, loss) in zip(replayed, losses) {
      try refresh(drawn) { kept in try rule.refreshed(kept, by: loss, progress) }
    }
  }
}
