import OnePassCore

/// P = 1 for every example: uniform replay ("vanilla replay", Hu et al. 2021, section 4.3).
///
/// ```swift
/// let priority = UniformPriority()
/// print(priority.priority(loss: 0.7, progress: RunProgress(step: 50, of: 100)))  // 1.0
/// ```
public struct UniformPriority: PriorityFunction {
  /// Creates the function.
  public init() {}

  public func priority(loss: Double, progress: RunProgress) -> Double { 1 }
}
