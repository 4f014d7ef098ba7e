/// A cool-down that a run was asked for before its planned end, and with which it ends.
public struct CoolDown: Codable, Hashable, Sendable {
  /// The steps that were done when it began.
  public var stepsBefore: Int
  /// The steps that it takes, 1 or more.
  public var steps: Int
  /// The updates that were made when it began.
  public var updatesBefore: Int
  /// The updates over which the learning rates fall, 1 or more.
  public var updates: Int

  public init(stepsBefore: Int, steps: Int, updatesBefore: Int, updates: Int) {
    self.stepsBefore = stepsBefore
    self.steps = steps
    self.updatesBefore = updatesBefore
    self.updates = updates
  }

  /// The steps of the whole run.
  public var lastStep: Int { stepsBefore + steps }
}
