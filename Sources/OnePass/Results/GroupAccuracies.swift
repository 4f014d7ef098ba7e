/// The accuracy on each group of classes of a stream after each group: the matrix of continual learning, and what follows from it.
///
/// In the definitions, a[i][j] is the accuracy on group j after group i has passed, and k is the last group that has passed. All
/// are over the classes of the whole model: the group of an image is not known at prediction ("class-incremental").
///
/// ```swift
/// let groups = try RunFiles.result(in: "runs/first").groups
/// print(groups?.forgetting ?? 0)
/// ```
public struct GroupAccuracies: Codable, Hashable, Sendable {
  /// The labels of each group, in the order of the stream.
  public var classes: [[Int]]
  /// a[i][j], 0 … 1, with a row for each group that has passed.
  public var accuracy: [[Double]]
  /// The accuracy on each group before the training.
  public var initial: [Double]
  /// The mean of a[k][j] over j ≤ k (Lopez-Paz and Ranzato 2017).
  public var averageAccuracy: Double
  /// The mean over j < k of max a[i][j] over i < k, minus a[k][j] (Chaudhry et al. 2018); `nil` for one group.
  public var forgetting: Double?
  /// The mean over j < k of a[k][j] − a[j][j] (Lopez-Paz and Ranzato 2017); `nil` for one group.
  public var backwardTransfer: Double?
  /// The mean over 1 ≤ j ≤ k, counted from 0, of a[j − 1][j] minus the initial accuracy on j (Lopez-Paz and Ranzato 2017); `nil`
  /// for one group.
  public var forwardTransfer: Double?
  /// The mean over i ≤ k of the mean of a[i][j] over j ≤ i (Caccia et al. 2022).
  public var averageAnytimeAccuracy: Double
  /// a[k][k] / n + (1 − 1/n) · the mean over j < k of min a[i][j] over i > j, for n groups that have passed (De Lange et al. 2023,
  /// with evaluations at the ends of groups).
  public var worstCaseAccuracy: Double

  /// - Parameters:
  ///   - accuracy: A row for each group that has passed, at least one, each with the accuracy on every group.
  ///   - initial: The accuracy on every group before the training.
  init(classes: [[Int]], accuracy a: [[Double]], initial: [Double]) {
    (self.classes, accuracy, self.initial) = (classes, a, initial)
    let (count, last) = (a.count, a.count - 1)
    func mean(_ range: Range<Int>, _ value: (Int) -> Double) -> Double? {
      range.isEmpty ? nil : range.reduce(0) { $0 + value($1) } / Double(range.count)
    }
    func best(_ j: Int) -> Double { (0..<last).map { a[$0][j] }.max() ?? 0 }
    func worst(_ j: Int) -> Double { (j + 1..<count).map { a[$0][j] }.min() ?? 0 }
    averageAccuracy = mean(0..<count) { a[last][$0] } ?? 0
    forgetting = mean(0..<last) { best($0) - a[last][$0] }
    backwardTransfer = mean(0..<last) { a[last][$0] - a[$0][$0] }
    forwardTransfer = mean(1..<count) { a[$0 - 1][$0] - initial[$0] }
    averageAnytimeAccuracy = mean(0..<count) { i in mean(0..<i + 1) { a[i][$0] } ?? 0 } ?? 0
    let share = 1 / Double(count)
    worstCaseAccuracy = share * a[last][last] + (1 - share) * (mean(0..<last, worst) ?? 0)
  }
}

extension GroupAccuracies {
  /// - Parameter points: The evaluations of the run, those of ``StreamGroups/isEnd(_:batchSize:)`` and of step 0 among them.
  /// - Returns: `nil` if an evaluation is missing, or no group has passed.
  init?(_ groups: StreamGroups, batchSize: Int, points: [RunResult.AccuracyPoint], lastStep: Int) {
    func row(_ step: Int) -> [Double]? {
      guard let row = points.last(where: { $0.step == step })?.groups else { return nil }
      let known = row.compactMap(\.self)
      return known.count == row.count ? known : nil
    }
    let steps = groups.ends.indices.map { groups.lastStep(of: $0, batchSize: batchSize) }
      .filter { $0 <= lastStep }
    let rows = steps.compactMap(row)
    guard let initial = row(0), !rows.isEmpty, rows.count == steps.count else { return nil }
    self.init(classes: groups.classes, accuracy: rows, initial: initial)
  }
}
