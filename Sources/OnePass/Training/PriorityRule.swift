import OnePassCore
import OnePassReplay

/// A priority function as the trainer calls it: whoever wrote the function, the memory gets a priority that it can hold.
struct PriorityRule {
  let function: any PriorityFunction

  /// - Throws: `OnePassError` (`usage`) if the function gives no finite number from 0 on.
  func priority(loss: Float, _ progress: RunProgress) throws -> Float {
    let value = function.priority(loss: Double(loss), progress: progress)
    let priority = Float(value)
    guard priority.isFinite, priority >= 0 else {
      throw OnePassError(
        .usage,
        "The priority function \(function.name) gives \(value) for a loss of \(loss) at \(progress.fraction) of the "
          + "run: a priority is finite and not negative.")
    }
    return priority
  }
}
