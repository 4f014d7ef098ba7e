import Foundation

/// An axis of a chart: its range, scale and ticks.
struct Axis {
  enum Scale { case linear, logarithmic }

  let title: String
  let range: ClosedRange<Double>
  let scale: Scale
  let ticks: [(value: Double, label: String)]

  /// A linear axis over some values, with round ticks.
  /// - Parameter includingZero: Whether the axis includes 0.
  static func linear(_ title: String, _ values: [Double], includingZero: Bool = false) -> Axis {
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    if includingZero { low = min(low, 0) }
    if high - low < 1e-9 { (low, high) = (low - 1, high + 1) }
    let step = roundStep((high - low) / 5)
    low = (low / step).rounded(.down) * step
    high = (high / step).rounded(.up) * step
    let count = Int(((high - low) / step).rounded())
    let decimals = max(0, Int((-log10(step)).rounded(.up)))
    let ticks = (0...count).map { index in
      let value = low + Double(index) * step
      return (value, String(format: "%.\(decimals)f", value))
    }
    return Axis(title: title, range: low...high, scale: .linear, ticks: ticks)
  }

  /// A logarithmic axis over some positive values, with ticks at 1, 2, 5, 10, …
  static func logarithmic(_ title: String, _ values: [Double]) -> Axis {
    let positive = values.filter { $0 > 0 }
    let low = (positive.min() ?? 1) / 1.25
    let high = max((positive.max() ?? 10) * 1.25, low * 2)
    let decades = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
    let mantissas: [Double] = high / low > 2_000 ? [1] : [1, 2, 5]
    let ticks = decades.flatMap { decade in mantissas.map { $0 * pow(10, Double(decade)) } }
      .filter { (low...high).contains($0) }.map { ($0, String(format: "%g", $0)) }
    return Axis(title: title, range: low...high, scale: .logarithmic, ticks: ticks)
  }

  /// The position of a value, 0 at the start of the axis and 1 at the end.
  func position(_ value: Double) -> Double {
    switch scale {
    case .linear: (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    case .logarithmic:
      log(max(value, range.lowerBound) / range.lowerBound) / log(range.upperBound / range.lowerBound)
    }
  }

  /// The next of 1, 2, 5, 10, … that is at least `rough`.
  private static func roundStep(_ rough: Double) -> Double {
    let magnitude = pow(10, log10(rough).rounded(.down))
    let factor = [1.0, 2, 5, 10].first { $0 * magnitude >= rough * 0.999 } ?? 10
    return factor * magnitude
  }
}
