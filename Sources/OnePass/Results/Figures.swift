import Foundation

/// Formats numbers for people.
package enum Figures {
  /// An integer with separators, as `12,345`.
  package static func count(_ value: Int) -> String {
    let digits = String(abs(value))
    var grouped = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { grouped.append(",") }
      grouped.append(digit)
    }
    return (value < 0 ? "-" : "") + grouped
  }

  /// A number of things, as `1 step` or `12,345 steps`.
  package static func count(_ value: Int, _ thing: String) -> String {
    "\(count(value)) \(thing)\(value == 1 ? "" : "s")"
  }

  /// A loss in nats, with three decimals, or in scientific notation from 10^4.
  package static func loss(_ value: Double) -> String {
    String(format: abs(value) < 1e4 ? "%.3f" : "%.2e", value)
  }

  /// A number with four decimals, for columns of values near 1.
  package static func decimal(_ value: Double) -> String { String(format: "%.4f", value) }

  /// A share 0 … 1 as `65.0 %`.
  package static func percent(_ share: Double, decimals: Int = 1) -> String {
    String(format: "%.\(decimals)f %%", share * 100)
  }

  /// A duration as `4:07` or `1:04:07`.
  package static func duration(_ seconds: Double) -> String {
    let whole = Int(max(0, seconds).rounded())
    let (hours, minutes, rest) = (whole / 3_600, whole / 60 % 60, whole % 60)
    return hours > 0
      ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
  }

  /// A whole number in full, or any other number with three significant digits.
  package static func wholeOrShort(_ value: Double) -> String {
    value.magnitude < 1e15 && value == value.rounded() ? count(Int(value)) : short(value)
  }

  /// A number with three significant digits.
  package static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
