import OnePassCore

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
