import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

/// The runs that share every option but the seed.
package struct Variant: Sendable {
  /// Their options, with those that do not matter set aside: see ``key(of:withSeed:)``.
  package let configuration: RunConfiguration
  /// By seed.
  package let records: [RunRecord]

  package var title: String { configuration.title }

  /// What makes two runs the same but for chance.
  ///
  /// Options that the method does not use, and those on which no result depends, are set to fixed values.
  static func key(of record: RunRecord, withSeed: Bool = false) -> RunConfiguration {
    var key = record.result.configuration
    (key.device, key.threads, key.decodeThreads) = ("auto", nil, nil)
    if !withSeed { key.seed = 0 }
    // A limit that takes the whole stream is no limit.
    key.limit = record.result.plan.streamExamples
    if key.method != .replay { key = key.withReplayOptions(of: .paper) }
    if key.method != .multiEpoch { key.epochs = 1 }
    if key.priority == .uniform { (key.smoothing, key.priorityTiming) = (.full, .insertion) }
    return key
  }

  package var seeds: [UInt64] { records.map(\.result.configuration.seed) }
  var examplesOfStream: Int { records[0].result.plan.streamExamples }

  /// A figure of the records that have it.
  package func sample(_ figure: (RunResult) -> Double?) -> Sample? {
    let values = records.compactMap { figure($0.result) }
    return values.isEmpty ? nil : Sample(values)
  }

  /// Top-1 in percent.
  package var accuracy: Sample? { sample { $0.accuracy.map { 100 * $0.top1 } } }
  /// The most that was held, as a share of the stream's examples, in percent.
  package var storage: Double { 100 * (records.map(\.result.storage.exampleFraction).max() ?? 0) }
  /// The most that was held, as a share of the stream's bytes, index included, in percent.
  package var storageBytes: Double { 100 * (records.map(\.result.storage.byteFraction).max() ?? 0) }
  /// Examples back-propagated, relative to 90 passes, in percent.
  package var compute: Double { 100 * (records.map(\.result.compute.fraction).max() ?? 0) }
  /// Examples back-propagated, in passes over the stream.
  package var effectiveEpochs: Double { compute / 100 * Double(RunResult.referenceEpochs) }

  /// Top-1 in percent by seed.
  var accuracyBySeed: [UInt64: Double] {
    Dictionary(
      records.compactMap { record in
        record.result.accuracy.map { (record.result.configuration.seed, 100 * $0.top1) }
      }
    ) { first, _ in first }
  }

  /// This one's top-1 minus the other's, by seed, in points.
  package func comparison(with other: Variant) -> PairedComparison? {
    PairedComparison(accuracyBySeed, minus: other.accuracyBySeed)
  }
}

extension RunConfiguration {
  /// The paper's method, written out, so that no default of the program is meant by it.
  package static let paper: RunConfiguration = {
    var paper = RunConfiguration(data: "")
    (paper.method, paper.storage, paper.replaySteps) = (.replay, .fraction(0.1), 8)
    (paper.priority, paper.smoothing, paper.priorityTiming) = (.loss, .full, .insertion)
    (paper.importanceWeights, paper.recencyBias) = (true, 1.5)
    (paper.drawing, paper.evicting, paper.memoryEncoding) = (.prioritised, .uniform, .original)
    (paper.updates, paper.incomingView, paper.epochs) = (.sequential, .augmented, 1)
    return paper
  }()

  /// This run with the other's replay.
  func withReplayOptions(of other: RunConfiguration) -> RunConfiguration {
    var changed = self
    (changed.storage, changed.replaySteps) = (other.storage, other.replaySteps)
    (changed.priority, changed.smoothing) = (other.priority, other.smoothing)
    (changed.priorityTiming, changed.importanceWeights) = (other.priorityTiming, other.importanceWeights)
    (changed.recencyBias, changed.drawing, changed.evicting) = (
      other.recencyBias, other.drawing, other.evicting
    )
    (changed.memoryEncoding, changed.updates) = (other.memoryEncoding, other.updates)
    changed.incomingView = other.incomingView
    return changed
  }

  /// This run with the paper's method at the same k and the same storage.
  var withPaperMethod: RunConfiguration {
    var method = RunConfiguration.paper
    (method.storage, method.replaySteps) = (storage, replaySteps)
    return withReplayOptions(of: method)
  }
}
