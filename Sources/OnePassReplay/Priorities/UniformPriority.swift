import OnePassCore

/// P = 1 for every example: replay without preference ("vanilla replay", Hu et al. 2021, section 4.3).
public struct UniformPriority: PriorityFunction {
  public init() {}

  public func priority(loss: Double, progress: RunProgress) -> Double { 1 }
}
