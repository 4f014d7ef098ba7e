import Foundation
import OnePass

/// The format of results: means with standard errors, differences with confidence intervals.
enum ResultFigures {
  /// A percentage or a duration in minutes: one decimal, two below 1.
  static func percent(_ value: Double) -> String {
    String(format: value < 0.995 && value > 0 ? "%.2f" : "%.1f", value)
  }

  /// `49.84 ± 0.55`, or `49.84 (one seed)`.
  static func accuracy(_ sample: Sample?) -> String {
    guard let sample else { return "-" }
    let mean = String(format: "%.2f", sample.mean)
    guard let error = sample.standardError else { return "\(mean) (one seed)" }
    return mean + String(format: " ± %.2f", error)
  }

  /// `+1.26`
  static func points(_ value: Double?) -> String {
    value.map { String(format: "%+.2f", $0) } ?? "-"
  }

  /// One decimal, as in the paper: `+0.3`
  static func paperPoints(_ value: Double?) -> String {
    value.map { String(format: "%+.1f", $0) } ?? "-"
  }

  /// `+1.26 (0.10 to 2.42)`
  static func difference(_ comparison: Comparison?) -> String {
    guard let comparison else { return "-" }
    guard let interval = comparison.interval else { return points(comparison.mean) + " (one seed)" }
    return points(comparison.mean)
      + String(format: " (%.2f to %.2f)", interval.lowerBound, interval.upperBound)
  }

  static func pValue(_ value: Double?) -> String {
    guard let value else { return "-" }
    return value < 0.001 ? "< 0.001" : String(format: "%.3f", value)
  }

  static func paper(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "-" }

  /// The number of pairs, or of runs in each group: `3` or `5, 5`.
  static func count(_ comparison: Comparison?) -> String {
    comparison.map { $0.sizes.map { "\($0)" }.joined(separator: ", ") } ?? "-"
  }

  /// The test with its degrees of freedom: `paired (df 2)`, `Welch (df 3.6)`.
  static func test(_ comparison: Comparison?) -> String {
    guard let comparison else { return "-" }
    guard let degrees = comparison.degreesOfFreedom else { return comparison.test.rawValue }
    return comparison.test.rawValue
      + String(format: comparison.test == .paired ? " (df %.0f)" : " (df %.1f)", degrees)
  }
}

extension Sample {
  /// Mean, standard error and n under a common name, for CSV and JSON.
  static func fields(_ name: String, _ sample: Sample?) -> [(name: String, value: ResultTable.Field)] {
    [
      ("\(name)_mean", .init(sample?.mean)), ("\(name)_standard_error", .init(sample?.standardError)),
      ("\(name)_n", .init(sample.map { Double($0.n) })),
    ]
  }
}

extension Comparison {
  /// A comparison for CSV and JSON.
  /// - Parameter corrected: The p-value after Holm's correction in its family.
  static func fields(
    _ comparison: Comparison?, corrected: Double?
  ) -> [(name: String, value: ResultTable.Field)] {
    [
      ("difference_mean", .init(comparison?.mean)),
      ("difference_low_95", .init(comparison?.interval?.lowerBound)),
      ("difference_high_95", .init(comparison?.interval?.upperBound)),
      ("test", comparison.map { .text($0.test.rawValue) } ?? .none),
      ("degrees_of_freedom", .init(comparison?.degreesOfFreedom)),
      ("p_value", .init(comparison?.pValue)), ("p_holm", .init(corrected)),
      ("n", .init(comparison.map { Double($0.n) })),
      ("group_sizes", comparison.map { .text(ResultFigures.count($0)) } ?? .none),
    ]
  }
}
