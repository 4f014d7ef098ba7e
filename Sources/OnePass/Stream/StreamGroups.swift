/// The groups of classes of a stream that come one after the other.
struct StreamGroups: Hashable {
  /// The labels of each group, in the order of the stream.
  let classes: [[Int]]
  /// For each group, the number of examples of it and of those before it.
  let ends: [Int]

  /// The step after which a group has passed.
  func lastStep(of group: Int, batchSize: Int) -> Int { (ends[group] + batchSize - 1) / batchSize }

  /// Whether a group has passed after a step, and not before it.
  func isEnd(_ step: Int, batchSize: Int) -> Bool {
    ends.indices.contains { lastStep(of: $0, batchSize: batchSize) == step }
  }
}
