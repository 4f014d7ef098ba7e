/// Holm's correction of p-values for the number of comparisons in a family.
///
/// Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
package enum Holm {
  /// The level of a significant difference, before and after the correction.
  package static let level = 0.05

  /// The corrected p-values, in the order of the arguments. A missing p-value stays missing and does not count.
  package static func adjusted(_ pValues: [Double?]) -> [Double?] {
    let order = pValues.indices.compactMap { index in pValues[index].map { (index, $0) } }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    var adjusted = [Double?](repeating: nil, count: pValues.count)
    var least = 0.0
    for (rank, (index, p)) in order.enumerated() {
      // Each is at least the one before it, so that the order of the p-values is kept.
      least = max(least, min(1, p * Double(order.count - rank)))
      adjusted[index] = least
    }
    return adjusted
  }
}
