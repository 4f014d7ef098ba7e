import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

/// The runs on one stream with one model and one recipe, which a table can compare.
package struct Setting: Sendable {
  /// Naive first, then replay by k and storage, then multi-epoch by passes.
  package let variants: [Variant]

  /// The variants of the same stream and model with the paper's recipe; empty if this setting has that recipe itself.
  let paperRecipe: [Variant]

  var configuration: RunConfiguration { variants[0].configuration }
  /// The number of examples in the stream.
  package var examplesOfStream: Int { variants[0].examplesOfStream }

  /// `resnet20 on 10,000 examples of wds:cifar10-train.tar.zst`, and the options that differ between settings.
  package let title: String

  private init(_ variants: [Variant], distinction: String, paperRecipe: [Variant]) {
    self.variants = variants
    self.paperRecipe = paperRecipe
    title = Self.plainTitle(variants[0]) + distinction
  }

  private static func plainTitle(_ variant: Variant) -> String {
    let configuration = variant.configuration
    // Only the end of a path: the folders before it do not identify the data.
    let parts = configuration.data.source.split(separator: ":", maxSplits: 1).map(String.init)
    let end = parts.last?.split(separator: "/").last.map(String.init) ?? configuration.data.source
    let data = parts.count == 2 ? "\(parts[0]):\(end)" : configuration.data.source
    return "\(configuration.model.name) on \(Figures.count(variant.examplesOfStream)) examples of \(data)"
  }

  /// The storage budgets of prioritised replay in ascending order.
  ///
  /// Budgets in bytes, which the ablation of pixels uses, are left out if there are shares or counts.
  var storages: [StorageBudget] {
    let all = Set(prioritised.map(\.configuration.memory.storage)).sorted { $0.sortKey < $1.sortKey }
    let counted = all.filter { if case .bytes = $0 { false } else { true } }
    return counted.isEmpty ? all : counted
  }

  /// Groups records by setting; the setting with the most records comes first.
  package static func settings(of records: [RunRecord]) -> [Setting] {
    let variants = Dictionary(grouping: records) { Variant.key(of: $0) }.map { key, records in
      Variant(
        configuration: key,
        records: records.sorted { Replicate($0.result) < Replicate($1.result) })
    }
    let groups = Dictionary(grouping: variants) { $0.configuration.withoutMethod }.map { shared, variants in
      (shared: shared, variants: variants.sorted { $0.configuration.rank < $1.configuration.rank })
    }
    return groups.map { group in
      let namesakes = groups.map(\.shared).filter { other in
        other != group.shared && other.model.name == group.shared.model.name
          && other.data.limit == group.shared.data.limit
      }
      // Sorted, so that a title does not depend on the order in which options are declared.
      let options = Set(namesakes.flatMap { group.shared.differences(from: $0).map(\.option) })
      let differing = group.shared.options.filter { options.contains($0.name) }.map {
        "\($0.name) \($0.value)"
      }.sorted()
      let paper = group.shared.withPaperRecipe
      return Setting(
        group.variants, distinction: differing.isEmpty ? "" : " (\(differing.joined(separator: ", ")))",
        paperRecipe: paper == group.shared.essence
          ? [] : groups.first { $0.shared.essence == paper }?.variants ?? [])
    }
    .sorted { ($1.recordCount, $0.title) < ($0.recordCount, $1.title) }
  }

  private var recordCount: Int { variants.reduce(0) { $0 + $1.records.count } }

  var naive: Variant? { variants.first { $0.configuration.method == .naive } }

  func multiEpoch(_ epochs: Int) -> Variant? { multiEpochs.first { $0.configuration.epochs == epochs } }

  /// Multi-epoch training as in the paper: without augmentation beyond crop and flip.
  var multiEpochs: [Variant] {
    variants.filter {
      $0.configuration.method == .multiEpoch && $0.configuration == $0.configuration.withPaperMethod
    }
  }

  /// The multi-epoch run of Table 1: 90 passes, or the largest number of passes.
  var reference: Variant? {
    multiEpoch(RunResult.referenceEpochs)
      ?? multiEpochs.max { $0.configuration.epochs < $1.configuration.epochs }
  }

  /// The variants of the paper's method.
  var prioritised: [Variant] {
    variants.filter {
      $0.configuration.method == .replay && $0.configuration == $0.configuration.withPaperMethod
    }
  }

  /// The paper's method with k replay steps and a storage as a share of the stream.
  func prioritised(k: Int, storage: Double) -> Variant? {
    replay(k: k, storage: storage) { _ in }
  }

  /// The same with one change.
  func replay(k: Int, storage: Double, _ change: (inout RunConfiguration) -> Void) -> Variant? {
    var sought = configuration
    (sought.method, sought.epochs) = (.replay, 1)
    (sought.replay.steps, sought.memory.storage) = (k, .fraction(storage))
    sought = sought.withPaperMethod
    change(&sought)
    return variants.first { $0.configuration == sought }
  }

  /// The baseline of a variant of replay: the paper's method at the same k and storage.
  func baseline(of variant: Variant) -> Variant? {
    let sought = variant.configuration.withPaperMethod
    guard variant.configuration.method == .replay, sought != variant.configuration else { return nil }
    return variants.first { $0.configuration == sought }
  }

  /// The prioritised replay of Table 1: k = 8 with 10 %, or the run with the most compute, then the most storage.
  var bestPrioritised: Variant? {
    prioritised(k: 8, storage: 0.1)
      ?? prioritised.max {
        ($0.configuration.replay.steps, $0.storage) < ($1.configuration.replay.steps, $1.storage)
      }
  }

  /// The Pareto-optimal variants in accuracy, storage and compute, by their means.
  ///
  /// Storage counts in bytes, since fewer but larger items save nothing. Variants without an accuracy are left out.
  package var paretoFront: [Variant] {
    let judged = variants.compactMap { variant in variant.accuracy.map { (variant, $0.mean) } }
    return judged.filter { candidate, accuracy in
      !judged.contains { other, otherAccuracy in
        otherAccuracy >= accuracy && other.storageBytes <= candidate.storageBytes
          && other.compute <= candidate.compute
          && (otherAccuracy > accuracy || other.storageBytes < candidate.storageBytes
            || other.compute < candidate.compute)
      }
    }.map(\.0)
  }
}

extension RunConfiguration {
  /// The position of a variant in a list.
  fileprivate var rank: (Int, Int, Double, String) {
    switch method {
    case .naive: (0, 0, 0, "")
    case .replay: (1, replay.steps, memory.storage.sortKey, self == withPaperMethod ? "" : title)
    case .multiEpoch: (2, epochs, 0, self == withPaperMethod ? "" : title)
    }
  }
}

extension StorageBudget {
  /// Shares before examples before bytes.
  fileprivate var sortKey: Double {
    switch self {
    case .fraction(let share): share
    case .examples(let count): 1 + Double(count)
    case .bytes(let count): 1e12 + Double(count.bytes)
    }
  }
}
