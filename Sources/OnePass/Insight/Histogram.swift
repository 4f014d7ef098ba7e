/// A histogram with bins of equal width, and the sums for mean and variance.
///
/// ```swift
/// if let losses = Histogram(spanning: [0.1, 0.4, 2.3]) { print(losses.counts, losses.range(of: 0)) }
/// ```
public struct Histogram: Codable, Hashable, Sendable {
  /// The lower end of the range.
  public let lower: Double
  /// The upper end of the range.
  public let upper: Double
  /// The number of values in each bin. Bins exclude their upper end, except the last, which also counts non-finite values.
  public let counts: [Int]
  /// The sum of the finite values.
  public let sum: Double
  /// The sum of the squares of the finite values.
  public let sumOfSquares: Double

  /// Histograms in tables have 20 bins, those in logs 40.
  private static let (partsOfARange, partsOfASpan) = (20, 40)

  /// A histogram of 20 bins over a range.
  /// - Parameters:
  ///   - values: The values, none below `lower`.
  ///   - lower: The lower end of the range.
  ///   - least: The upper end of the range, unless a value is larger. The largest value is the end then.
  init(_ values: [Double], from lower: Double, to least: Double? = nil) {
    let largest = values.lazy.filter(\.isFinite).max() ?? lower
    let end = max(least ?? largest, largest)
    self.init(values, from: lower, to: end > lower ? end : lower + 1, parts: Self.partsOfARange)
  }

  /// Creates a histogram of 40 bins over the span of the values, or of one bin if they are all equal.
  /// - Parameter values: The values; those that are not finite are ignored.
  /// - Returns: The histogram; `nil` if no value is finite.
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
      // Rounding may move a value at a limit to the neighbouring bin.
      var part = width > 0 ? max(0, min(last, Int((value - lower) / width))) : 0
      if part < last, value >= limits[part] { part += 1 }
      if part > 0, value < limits[part - 1] { part -= 1 }
      counts[part] += 1
      sum += value
      sumOfSquares += value * value
    }
    (self.counts, self.sum, self.sumOfSquares) = (counts, sum, sumOfSquares)
  }

  /// The upper end of each bin.
  public var limits: [Double] { Self.limits(from: lower, to: upper, parts: counts.count) }

  private static func limits(from lower: Double, to upper: Double, parts: Int) -> [Double] {
    let width = (upper - lower) / Double(parts)
    return (1...parts).map { $0 == parts ? upper : lower + Double($0) * width }
  }

  /// The lower and upper end of a bin.
  public func range(of part: Int) -> ClosedRange<Double> {
    let limits = limits
    return (part > 0 ? limits[part - 1] : lower)...limits[part]
  }
}
