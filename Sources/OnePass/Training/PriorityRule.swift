import OnePassCore
import OnePassReplay

/// A priority function as the trainer calls it: whoever wrote the function, the memory gets a priority that it can hold.
struct PriorityRule {
  let function: any PriorityFunction
  let timing: PriorityTiming
  /// That of the step, where the function compares with it.
  private var memoryMean: Double?

  init(_ function: any PriorityFunction, timing: PriorityTiming) {
    self.function = function
    self.timing = timing
  }

  /// Before the draws of a step: computes priorities anew that change with the run.
  /// - Throws: As all below, `OnePassError` (`usage`) if the function gives no finite number from 0 on.
  mutating func beginStep(_ memory: inout ReplayMemory?, _ progress: RunProgress) throws {
    if function.basis == .memoryMean { memoryMean = memory?.meanLoss }
    guard timing == .current || timing == .refreshed && function.basis == .memoryMean else { return }
    try memory?.reprioritise { try priority(of: context($0), progress) }
  }

  /// The priority of an example that comes in.
  func priority(ofArrival loss: Float, _ progress: RunProgress) throws -> Float {
    try priority(of: context(loss), progress)
  }

  /// After a replay: gives the drawn items what follows from its losses, where they count.
  func refresh(
    _ drawn: [DrawnExample], losses: [Float], in memory: inout ReplayMemory?, _ progress: RunProgress
  ) throws {
    guard timing == .refreshed else { return }
    let keepsAverage = function.basis == .ownAverage
    for (drawn, loss) in zip(drawn, losses) {
      try memory?.refresh(drawn) { kept in
        let losses = context(loss, average: keepsAverage ? kept : nil)
        return (keepsAverage ? Float(losses.nextAverage) : loss, try priority(of: losses, progress))
      }
    }
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
