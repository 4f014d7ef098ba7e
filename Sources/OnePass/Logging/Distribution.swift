/// How values are distributed: their number in buckets of equal width, and what moments need.
public struct Distribution: Hashable, Sendable {
  public let minimum: Double
  public let maximum: Double
  public let sum: Double
  public let sumOfSquares: Double
  /// The upper end of each bucket, which is not in it but for the last; the first begins at `minimum`.
  public let limits: [Double]
  /// The number of values in each bucket.
  public let counts: [Int]

  private static let buckets = 40

  /// - Parameter values: Finite ones.
  /// - Returns: `nil` if there are none.
  public init?(_ values: [Double]) {
    guard let minimum = values.min(), let maximum = values.max() else { return nil }
    self.minimum = minimum
    self.maximum = maximum
    sum = values.reduce(0, +)
    sumOfSquares = values.reduce(0) { $0 + $1 * $1 }
    let buckets = maximum > minimum ? Self.buckets : 1
    let width = (maximum - minimum) / Double(buckets)
    limits = (1...buckets).map { $0 == buckets ? maximum : minimum + Double($0) * width }
    var counts = Array(repeating: 0, count: buckets)
    for value in values {
      // One that lies on a limit may be rounded to either side of it.
      var bucket = width > 0 ? min(buckets - 1, Int((value - minimum) / width)) : 0
      if bucket < buckets - 1, value >= limits[bucket] { bucket += 1 }
      if bucket > 0, value < limits[bucket - 1] { bucket -= 1 }
      counts[bucket] += 1
    }
    self.counts = counts
  }
}
