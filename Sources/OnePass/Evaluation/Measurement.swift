/// What metrics found over a set of labelled images.
public struct Measurement {
  public let metrics: [any Metric]
  /// The images that were measured.
  public let examples: Int
  /// Broken images that were left out.
  public let skipped: Int

  /// The figure of the metric with this name; `nil` where there is none, or it saw no example.
  public subscript(name: String) -> Double? { metrics.first { $0.name == name }?.value }
}
