/// A cool-down that was requested during a run and ends it early.
///
/// ```swift
/// let coolDown = CoolDown(stepsBefore: 4_000, steps: 1_000, updatesBefore: 8_000, updates: 2_000)
/// print(coolDown.lastStep)  // 5000
/// ```
public struct CoolDown: Codable, Hashable, Sendable {
  /// The number of steps done before the cool-down.
  public var stepsBefore: Int
  /// The number of steps in the cool-down, 1 or more.
  public var steps: Int
  /// The number of updates made before the cool-down.
  public var updatesBefore: Int
  /// The number of updates over which the learning rates decay, 1 or more.
  public var updates: Int

  /// Creates a cool-down from its start and length, each in steps and in updates.
  public init(stepsBefore: Int, steps: Int, updatesBefore: Int, updates: Int) {
    self.stepsBefore = stepsBefore
    self.steps = steps
    self.updatesBefore = updatesBefore
    self.updates = updates
  }

  /// The number of steps in the whole run, cool-down included.
  public var lastStep: Int { stepsBefore + steps }
}
