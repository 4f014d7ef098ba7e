import OnePassCore

/// When a run is saved while it trains, and how much of that is kept.
public struct CheckpointPlan: Hashable, Sendable {
  /// How often; only when the run is stopped if `nil`.
  public var every: CheckpointInterval?
  /// How many of the last checkpoints are kept, at least 1. With two, there is one to go on from if the last is damaged.
  public var kept: Int

  public init(every: CheckpointInterval? = nil, kept: Int = 2) {
    precondition(kept >= 1, "At least one checkpoint is kept.")
    self.every = every
    self.kept = kept
  }
}

/// How often a run is saved while it trains.
public enum CheckpointInterval: Hashable, Sendable {
  case steps(Int)
  case seconds(Double)

  /// `100` (steps), `90s`, `10m` or `2h`.
  /// - Throws: `OnePassError` (`usage`) if the text is none of them.
  public init(_ text: String) throws {
    let units: [(suffix: String, seconds: Double)] = [("s", 1), ("m", 60), ("h", 3_600)]
    if let steps = Int(text), steps > 0 {
      self = .steps(steps)
    } else if let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let value = Double(text.dropLast()), value > 0, value.isFinite
    {
      self = .seconds(value * unit.seconds)
    } else {
      throw OnePassError(
        .usage, "--checkpoint-every \(text) is not possible: give steps (100) or a time (90s, 10m, 2h).")
    }
  }
}
