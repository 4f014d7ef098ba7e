/// Examples back-propagated, counted by the side of their images.
struct TrainedExamples: Hashable {
  private var counts: [Int: Int] = [:]

  init() {}

  init(_ sides: [RunResult.Compute.Side]) {
    for part in sides { record(part.examples, side: part.side) }
  }

  mutating func record(_ examples: Int, side: Int) { counts[side, default: 0] += examples }

  /// Of any side.
  var count: Int { counts.values.reduce(0, +) }

  /// By side, the smallest first.
  var sides: [RunResult.Compute.Side] {
    counts.sorted { $0.key < $1.key }.map { RunResult.Compute.Side(side: $0.key, examples: $0.value) }
  }

  /// What they come to in examples of the full side: each counts as the share of its pixels.
  func atFullSide(_ full: Int) -> Double {
    // Whole pixels are summed, so that the order of the sides does not matter.
    Double(counts.reduce(0) { $0 + $1.value * $1.key * $1.key }) / Double(full * full)
  }
}

extension RunResult.Compute {
  /// - Parameters:
  ///   - trained: What was back-propagated.
  ///   - fullSide: The side of the model's input, in pixels.
  ///   - forwardExamples: What passed forward only, if anything.
  ///   - updates: Optimiser updates made.
  ///   - count: Examples of the stream.
  init(_ trained: TrainedExamples, fullSide: Int, forwardExamples: Int?, updates: Int, ofStream count: Int) {
    let hasSmaller = trained.sides.contains { $0.side < fullSide }
    let atFullSide = trained.atFullSide(fullSide)
    self.init(
      examples: trained.count, sides: hasSmaller ? trained.sides : nil,
      fullSizeExamples: hasSmaller ? atFullSide : nil, forwardExamples: forwardExamples,
      fraction: Self.fraction(examples: atFullSide, forwardExamples: forwardExamples, ofStream: count),
      updates: updates)
  }
}

extension RunState {
  /// What was trained; records of runs whose images all have the full side tell only how many there were.
  func trained(fullSide: Int) -> TrainedExamples {
    TrainedExamples(trainedSides ?? [.init(side: fullSide, examples: examplesTrained)])
  }
}
