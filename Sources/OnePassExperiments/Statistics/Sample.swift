/// The values of a figure over runs that differ only in their seeds.
package struct Sample: Hashable, Sendable {
  /// The values, at least one.
  package let values: [Double]

  /// A sample of at least one value.
  init(_ values: [Double]) {
    precondition(!values.isEmpty, "A sample has at least one value.")
    self.values = values
  }

  /// The number of values.
  package var n: Int { values.count }
  /// The arithmetic mean.
  package var mean: Double { values.reduce(0, +) / Double(n) }

  /// The sample standard deviation (n − 1); `nil` for a single value.
  package var deviation: Double? {
    guard n > 1 else { return nil }
    let mean = mean
    return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n - 1)).squareRoot()
  }

  /// The standard error of the mean; `nil` for a single value.
  package var standardError: Double? { deviation.map { $0 / Double(n).squareRoot() } }

  /// Half the width of the 95 % confidence interval of the mean (Student's t); `nil` for a single value.
  package var confidence: Double? {
    standardError.map { $0 * StudentT(degreesOfFreedom: Double(n - 1)).quantile(central: 0.95) }
  }
}
