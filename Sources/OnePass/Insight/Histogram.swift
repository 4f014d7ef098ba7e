/// How many values lie in each of twenty parts, equally wide, of a range.
public struct Histogram: Codable, Hashable, Sendable {
  public let lower: Double
  public let upper: Double
  /// The last part includes its end. Values that are not finite count in the last one.
  public let counts: [Int]

  static let parts = 20

  /// - Parameters:
  ///   - values: In any order; none is below `lower`.
  ///   - lower: Where the range begins.
  ///   - least: Where it ends, unless a value lies beyond; it then ends there.
  init(_ values: [Double], from lower: Double, to least: Double? = nil) {
    let largest = values.lazy.filter(\.isFinite).max() ?? lower
    self.lower = lower
    let end = max(least ?? largest, largest)
    upper = end > lower ? end : lower + 1
    let width = (upper - lower) / Double(Self.parts)
    counts = values.reduce(into: Array(repeating: 0, count: Self.parts)) { counts, value in
      let part = value.isFinite ? Int((value - lower) / width) : Self.parts - 1
      counts[max(0, min(Self.parts - 1, part))] += 1
    }
  }

  /// Where a part begins and ends.
  public func range(of part: Int) -> ClosedRange<Double> {
    let width = (upper - lower) / Double(counts.count)
    return lower + width * Double(part)...lower + width * Double(part + 1)
  }
}
