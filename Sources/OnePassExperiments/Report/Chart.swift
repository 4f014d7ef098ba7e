import Foundation

/// A chart as SVG: lines, points with error bars, bars. Colours follow the light or dark theme of the reader.
struct Chart {
  struct Point {
    var x: Double
    var y: Double
    /// Half the length of the error bar; `nil` for none.
    var error: Double?
    /// The tooltip.
    var label = ""
  }

  enum Style {
    /// Markers joined by a line.
    case line
    /// A line without markers.
    case course
    case dashedCourse
    /// Markers without a line.
    case points
    /// Markers joined by a dashed line.
    case dashed

    var isDashed: Bool { self == .dashed || self == .dashedCourse }
    var hasMarkers: Bool { self != .course && self != .dashedCourse }
  }

  struct Series {
    var name: String
    /// The index of the colour in the palette.
    var colour: Int
    var points: [Point]
    var style = Style.line
    /// Whether the markers are hollow.
    var isHollow = false
    /// Whether the legend lists the series.
    var isInLegend = true
  }

  let title: String
  let horizontal: Axis
  let vertical: Axis
  var series: [Series] = []
  /// Named horizontal lines, such as the accuracy of naive training.
  var levels: [(name: String, value: Double)] = []
  /// Circles in the coordinates of the axes.
  var marks: [Mark] = []
  /// Bars that stand on the horizontal axis, as in a histogram.
  var bars: [Bar] = []
  /// Points without markers, for thousands of them.
  var cloud: [(x: Double, y: Double)] = []

  /// A circle with a number beside it.
  struct Mark {
    var x: Double
    var y: Double
    var radius: Double
    var colour: Int
    var isHollow: Bool
    var text: String
    var label: String
  }

  static let colours = 7
  private static let width = 480.0
  private static let plot = (left: 48.0, top: 12.0, right: 468.0, bottom: 262.0)

  /// The chart as an `svg` element, with the colours of the page around it.
  var svg: String {
    let legend = legend
    let height = Self.plot.bottom + 46 + Double(legend.lines) * 17
    let body = [
      grid, drawnBars, drawnCloud, axisTitles, levelLines, series.map(draw).joined(), markCircles, legend.svg,
    ].joined()
    return """
      <svg class="chart" viewBox="0 0 \(Int(Self.width)) \(Int(height))" role="img" aria-label="\(escaped(title))" \
      xmlns="http://www.w3.org/2000/svg"><title>\(escaped(title))</title>\(body)</svg>
      """
  }

  /// The chart as an SVG file with its own colours.
  var file: String {
    svg.replacing("</title>", with: "</title><style>\(ReportStyle.chartFile)</style>", maxReplacements: 1)
      + "\n"
  }

  // MARK: Coordinates

  func x(_ value: Double) -> Double {
    Self.plot.left + horizontal.position(value) * (Self.plot.right - Self.plot.left)
  }

  func y(_ value: Double) -> Double {
    Self.plot.bottom - vertical.position(value) * (Self.plot.bottom - Self.plot.top)
  }

  func number(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private func text(
    _ text: String, _ x: Double, _ y: Double, _ anchor: String = "middle", more: String = ""
  ) -> String {
    "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\"\(more)>\(escaped(text))</text>"
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ kind: String) -> String {
    "<line class=\"\(kind)\" x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\"/>"
  }

  // MARK: Parts

  private var grid: String {
    let (left, top, right, bottom) = Self.plot
    let rows = vertical.ticks.map { tick in
      line(left, y(tick.value), right, y(tick.value), "grid")
        + text(tick.label, left - 6, y(tick.value) + 4, "end")
    }
    let columns = horizontal.ticks.map { tick in
      line(x(tick.value), bottom, x(tick.value), bottom + 4, "axis")
        + text(tick.label, x(tick.value), bottom + 17)
    }
    return (rows + columns).joined() + line(left, bottom, right, bottom, "axis")
      + line(left, top, left, bottom, "axis")
  }

  private var axisTitles: String {
    let middle = (Self.plot.top + Self.plot.bottom) / 2
    // Left of the longest tick label.
    let longest = Double(vertical.ticks.map(\.label.count).max() ?? 0)
    let left = number(min(11, Self.plot.left - 12 - 6.6 * longest))
    return text(horizontal.title, (Self.plot.left + Self.plot.right) / 2, Self.plot.bottom + 34)
      + text(
        vertical.title, 0, 0, more: " transform=\"translate(\(left) \(number(middle))) rotate(-90)\"")
  }

  private var levelLines: String {
    levels.map { name, value in
      line(Self.plot.left, y(value), Self.plot.right, y(value), "level")
        + text(name, Self.plot.right - 2, y(value) + 13, "end", more: " class=\"halo\"")
    }.joined()
  }

  private func draw(_ series: Series) -> String {
    let colour = "c\(series.colour % Self.colours)"
    let path = series.points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(number(x(point.x))) \(number(y(point.y)))"
    }.joined()
    var parts: [String] = []
    if series.style != .points, series.points.count > 1 {
      parts.append(
        "<path class=\"\(colour) line\(series.style.isDashed ? " dashed" : "")\" d=\"\(path)\"/>")
    }
    if !series.style.hasMarkers { return parts.joined() }
    for point in series.points {
      if let error = point.error, error > 0 {
        let (low, high) = (y(point.y - error), y(point.y + error))
        parts.append(line(x(point.x), low, x(point.x), high, "\(colour) error"))
        for end in [low, high] {
          parts.append(line(x(point.x) - 3, end, x(point.x) + 3, end, "\(colour) error"))
        }
      }
      parts.append(marker(series, x(point.x), y(point.y), point.label))
    }
    return parts.joined()
  }

  /// Each colour has its own shape, so that series are distinguishable without colour.
  private func marker(_ series: Series, _ x: Double, _ y: Double, _ label: String) -> String {
    let shapes: [[(Double, Double)]] = [
      [(-3.4, -3.4), (3.4, -3.4), (3.4, 3.4), (-3.4, 3.4)], [(0, -4.6), (4.4, 3.4), (-4.4, 3.4)],
      [(0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)], [(0, 4.6), (4.4, -3.4), (-4.4, -3.4)],
    ]
    let kind = "c\(series.colour % Self.colours) \(series.isHollow ? "hollow" : "mark")"
    let tip = label.isEmpty ? "" : "<title>\(escaped(label))</title>"
    if series.colour % 5 == 0 {
      return "<circle class=\"\(kind)\" cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"3.9\">\(tip)</circle>"
    }
    let points = shapes[(series.colour % 5) - 1].map { "\(number(x + $0.0)),\(number(y + $0.1))" }
    return "<polygon class=\"\(kind)\" points=\"\(points.joined(separator: " "))\">\(tip)</polygon>"
  }

  private var markCircles: String {
    var taken: [(x: Double, y: Double)] = []
    let circles = marks.map { mark in
      let kind = "c\(mark.colour % Self.colours) \(mark.isHollow ? "hollow" : "bubble")"
      return "<circle class=\"\(kind)\" cx=\"\(number(x(mark.x)))\" cy=\"\(number(y(mark.y)))\" "
        + "r=\"\(number(mark.radius))\"><title>\(escaped(mark.label))</title></circle>"
    }
    let numbers = marks.filter { !$0.text.isEmpty }.map { mark in
      // Beside the circle, on the first of four sides without a number.
      let distance = mark.radius + 7
      let sides = [(1.0, -0.6), (-1, -0.6), (1, 1), (-1, 1)].map { side in
        (x: x(mark.x) + side.0 * distance, y: y(mark.y) + side.1 * distance + 4)
      }
      let place =
        sides.first { side in !taken.contains { abs($0.x - side.x) < 15 && abs($0.y - side.y) < 11 } }
        ?? sides[0]
      taken.append(place)
      return text(mark.text, place.x, place.y, more: " class=\"halo\"")
    }
    return circles.joined() + numbers.joined()
  }

  /// The legend in rows.
  private var legend: (svg: String, lines: Int) {
    var (parts, left, row) = ("", Self.plot.left, 0)
    for series in series where series.isInLegend && !series.name.isEmpty {
      let lines = Self.rows(of: series.name)
      let width = 22 + Double(lines.map(\.count).max() ?? 0) * Self.letter + 12
      if left + width > Self.width, left > Self.plot.left { (left, row) = (Self.plot.left, row + 1) }
      let y = Self.plot.bottom + 55 + Double(row) * 17
      let colour = "c\(series.colour % Self.colours)"
      if series.style != .points {
        parts += line(
          left, y - 4, left + 18, y - 4, "\(colour) line\(series.style.isDashed ? " dashed" : "")")
      }
      if series.style.hasMarkers { parts += marker(series, left + 9, y - 4, "") }
      for (index, words) in lines.enumerated() {
        parts += text(words, left + 23, y + Double(index) * 17, "start")
      }
      left += width
      row += lines.count - 1
    }
    return (parts, parts.isEmpty ? 0 : row + 1)
  }

  /// The approximate width of a letter.
  private static let letter = 6.4

  /// A name of the legend, wrapped between words.
  static func rows(of name: String) -> [String] {
    let most = Int((width - plot.left - 34) / letter)
    return name.split(separator: " ").reduce(into: []) { rows, word in
      if let last = rows.last, last.count + 1 + word.count <= most {
        rows[rows.count - 1] += " \(word)"
      } else {
        rows.append(String(word))
      }
    }
  }
}
