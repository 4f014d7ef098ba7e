import OnePass
import OnePassData

extension Setting {
  /// Whether a run has a seed of the order that is not its seed.
  var hasSeedsOfOrder: Bool {
    variants.contains { $0.records.contains { $0.replicate.seed != $0.replicate.order } }
  }

  /// The sources of variance that the errors cover. The paper's errors are over orders of the data.
  ///
  /// Nothing is said about an order of which the records do not tell whether the seed determines it.
  var seedNote: String {
    let choices = "the initial weights, the augmentation and the sampling of the memory"
    // By whether the runs make several passes, and by whether the seed determines their order.
    let orders = Dictionary(grouping: variants) { $0.configuration.method == .multiEpoch }
      .mapValues { Set($0.flatMap(\.records).map(\.result.isOrderedBySeed)) }
    let (onePass, passes) = (orders[false] ?? [], orders[true] ?? [])
    let isSeparate = hasSeedsOfOrder
    let seed = isSeparate ? "The seed of the order" : "The seed"
    var statements = [String]()
    if onePass.union(passes) == [true] {
      statements.append(
        isSeparate
          ? "The seed determines \(choices); the seed of the order determines the order of the stream."
          : "The seed determines the order of the stream, \(choices).")
    } else {
      statements.append("The seed determines \(choices).")
      if onePass == [false] { statements.append("One pass has the same order of the stream for all seeds.") }
      if onePass == [true] { statements.append("\(seed) determines the order of the stream of one pass.") }
      if passes == [true] { statements.append("\(seed) determines the order of multi-epoch training.") }
    }
    return (statements + [isSeparate ? crossingNote : nil].compactMap(\.self)).joined(separator: " ")
  }

  /// The numbers of seeds, with a warning if runs share one.
  private var crossingNote: String {
    let replicates = Set(variants.flatMap(\.records).map(\.replicate))
    let (seeds, orders) = (Set(replicates.map(\.seed)).count, Set(replicates.map(\.order)).count)
    let counts =
      "The runs have \(Figures.count(seeds, "seed")) and \(Figures.count(orders, "seed")) of the order."
    if seeds == 1 { return "\(counts) The errors cover the order alone." }
    if orders == 1 { return "\(counts) The errors do not cover the order." }
    return replicates.count > max(seeds, orders)
      ? "\(counts) Runs with a common seed are not independent, so the errors are too small." : counts
  }
}

extension RunRecord {
  /// The seeds of the run.
  var replicate: Replicate { Replicate(result) }
}

extension RunResult {
  /// Whether the order of the stream is a function of the seed, or of the seed of the order; `nil` if it is unknown.
  ///
  /// Older records do not state it. It follows from their options, unless the source was a custom one.
  fileprivate var isOrderedBySeed: Bool? {
    if let recorded = stream.orderedBySeed { return recorded }
    if configuration.method == .multiEpoch || configuration.data.shuffleBuffer != nil { return true }
    return SourceRegistry.orderDependsOnSeed(configuration.data.source)
  }
}
