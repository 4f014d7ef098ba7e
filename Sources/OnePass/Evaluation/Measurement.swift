/// The values of metrics over a set of labelled images.
///
/// ```swift
/// let model = try TrainedModel(checkpoint: "runs/first")
/// let test = try SourceRegistry.open("fashion-mnist:test", seed: 1)
/// print(try model.measure([TopKAccuracy(k: 3)], on: test)["top3"] ?? 0)
/// ```
public struct Measurement {
  /// The metrics with their sums.
  public let metrics: [any Metric]
  /// The number of images that were measured.
  public let examples: Int
  /// The number of broken images, which were skipped.
  public let skipped: Int

  /// The value of the metric with this name; `nil` if the metric is missing, or no image was measured.
  public subscript(name: String) -> Double? { metrics.first { $0.name == name }?.value }
}
