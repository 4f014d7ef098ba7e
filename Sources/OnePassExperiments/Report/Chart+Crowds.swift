/// Shapes for many values: bars of a histogram, and point clouds.
extension Chart {
  /// A bar from the horizontal axis up to a value.
  struct Bar {
    var range: ClosedRange<Double>
    var y: Double
    /// The tooltip.
    var label: String
  }

  var drawnBars: String {
    bars.map { bar in
      let (left, right) = (x(bar.range.lowerBound) + 0.5, x(bar.range.upperBound) - 0.5)
      let (top, bottom) = (y(bar.y), y(vertical.range.lowerBound))
      // An empty bar has no height but keeps its tooltip.
      return "<rect class=\"bar c0\" x=\"\(number(left))\" y=\"\(number(top))\" "
        + "width=\"\(number(max(0.5, right - left)))\" height=\"\(number(max(0, bottom - top)))\">"
        + "<title>\(escaped(bar.label))</title></rect>"
    }.joined()
  }

  /// All points as one path of dots, about ten bytes per point.
  var drawnCloud: String {
    guard !cloud.isEmpty else { return "" }
    let dots = cloud.map { "M\(number(x($0.x))) \(number(y($0.y)))h0" }.joined()
    return "<path class=\"c0 cloud\" d=\"\(dots)\"/>"
  }
}
