/// How many values lie in each of some equally wide parts of a range, with the sums that mean and spread need.
public struct Histogram: Codable, Hashable, Sendable {
  public let lower: Double
  public let upper: Double
  /// The number of values in each part. A part has its beginning and not its end; the last one has both, and the values that
  /// are not finite.
  public let counts: [Int]
  /// The sum of the finite values.
  public let sum: Double
  /// The sum of the squares of the finite values.
  public let sumOfSquares: Double

  /// What people look at in a table has twenty parts; what programs draw has twice as many.
  private static let (partsOfARange, partsOfASpan) = (20, 40)

  /// The values in twenty parts of a range.
  /// - Parameters:
  ///   - values: In any order; none is below `lower`.
  ///   - lower: Where the range begins.
  ///   - least: Where it ends, unless a value lies beyond; it then ends there.
  init(_ values: [Double], from lower: Double, to least: Double? = nil) {
    let largest = values.lazy.filter(\.isFinite).max() ?? lower
    let end = max(least ?? largest, largest)
    self.init(values, from: lower, to: end > lower ? end : lower + 1, parts: Self.partsOfARange)
  }

  /// The values in forty parts of what they span; in one where they are all the same.
  /// - Parameter values: In any order; those that are not finite are left out.
  /// - Returns: `nil` if there are none.
  public init?(spanning values: [Double]) {
    let values = values.filter(\.isFinite)
    guard let lower = values.min(), let upper = values.max() else { return nil }
    self.init(values, from: lower, to: upper, parts: upper > lower ? Self.partsOfASpan : 1)
  }

  private init(_ values: [Double], from lower: Double, to upper: Double, parts: Int) {
    self.lower = lower
    self.upper = upper
    let (width, last) = ((upper - lower) / Double(parts), parts - 1)
    let limits = Self.limits(from: lower, to: upper, parts: parts)
    var (counts, sum, sumOfSquares) = (Array(repeating: 0, count: parts), 0.0, 0.0)
    for value in values {
      guard value.isFinite else {
        counts[last] += 1
        continue
      }
      // One that lies on a limit may be rounded to either side of it.
      var part = width > 0 ? max(0, min(last, Int((value - lower) / width))) : 0
      if part < last, value >= limits[part] { part += 1 }
      if part > 0, value < limits[part - 1] { part -= 1 }
      counts[part] += 1
      sum += value
      sumOfSquares += value * value
    }
    (self.counts, self.sum, self.sumOfSquares) = (counts, sum, sumOfSquares)
  }

  /// Where each part ends.
  public var limits: [Double] { Self.limits(from: lower, to: upper, parts: counts.count) }

  private static func limits(from lower: Double, to upper: Double, parts: Int) -> [Double] {
    let width = (upper - lower) / Double(parts)
    return (1...parts).map { $0 == parts ? upper : lower + Double($0) * width }
  }

  /// Where a part begins and ends.
  public func range(of part: Int) -> ClosedRange<Double> {
    let limits = limits
    return (part > 0 ? limits[part - 1] : lower)...limits[part]
  }
}
