/// Parses times with a unit, as options have them.
package enum TimeSpan {
  private static let units: [(suffix: String, seconds: Double)] = [
    ("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400),
  ]

  /// The seconds of a time such as `90s`, `10m` or `2h`; `nil` if the text is not a time above 0.
  /// - Parameter allowsDays: Whether `30d` is a time.
  package static func seconds(_ text: String, allowsDays: Bool = false) -> Double? {
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }), allowsDays || unit.suffix != "d",
      let value = Double(text.dropLast()), value > 0, value.isFinite
    else { return nil }
    return value * unit.seconds
  }
}
