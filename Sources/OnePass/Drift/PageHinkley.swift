/// The test of Page and Hinkley: alarms when the sum of the distances of errors (1) and correct predictions (0) from their
/// mean has left its extreme by more than a threshold.
///
/// Distances below 0.005 are tolerated, and the sum fades by the factor 0.9999 with each prediction, as in River.
///
/// Source: Page 1954, "Continuous inspection schemes".
struct PageHinkley: DriftDetector {
  /// λ, in sums of errors, above 0.
  let threshold: Double
  private var count = 0
  private var mean = 0.0
  private var (sumOfRises, sumOfFalls) = (0.0, 0.0)
  private var (lowest, highest) = (Double.greatestFiniteMagnitude, -1.0)

  private static let tolerance = 0.005
  private static let fading = 1 - 0.0001
  private static let fewest = 30

  init(threshold: Double) { self.threshold = threshold }

  mutating func update(isError: Bool) -> DriftDirection? {
    let value = isError ? 1.0 : 0.0
    count += 1
    mean += (value - mean) / Double(count)
    let distance = value - mean
    sumOfRises = Self.fading * sumOfRises + distance - Self.tolerance
    sumOfFalls = Self.fading * sumOfFalls + distance + Self.tolerance
    lowest = min(lowest, sumOfRises)
    highest = max(highest, sumOfFalls)
    guard count >= Self.fewest else { return nil }
    let direction: DriftDirection? =
      sumOfRises - lowest > threshold ? .rose : highest - sumOfFalls > threshold ? .fell : nil
    if direction != nil { self = PageHinkley(threshold: threshold) }
    return direction
  }
}
