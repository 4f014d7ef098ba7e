/// What stands for many values at once: bars that count them, and clouds of points.
extension Chart {
  /// A bar from the horizontal axis up to a value.
  struct Bar {
    var range: ClosedRange<Double>
    var y: Double
    /// What a pointer shows over it.
    var label: String
  }

  var drawnBars: String {
    bars.map { bar in
      let (left, right) = (x(bar.range.lowerBound) + 0.5, x(bar.range.upperBound) - 0.5)
      let (top, bottom) = (y(bar.y), y(vertical.range.lowerBound))
      // The place of an empty bar has its label too.
      return "<rect class=\"bar c0\" x=\"\(number(left))\" y=\"\(number(top))\" "
        + "width=\"\(number(max(0.5, right - left)))\" height=\"\(number(max(0, bottom - top)))\">"
        + "<title>\(escaped(bar.label))</title></rect>"
    }.joined()
  }

  /// All points as one path of dots, which takes some ten bytes a point.
  var drawnCloud: String {
    guard !cloud.isEmpty else { return "" }
    let dots = cloud.map { "M\(number(x($0.x))) \(number(y($0.y)))h0" }.joined()
    return "<path class=\"c0 cloud\" d=\"\(dots)\"/>"
  }
}
