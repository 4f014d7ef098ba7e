import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

/// The runs that share every option but the seed.
package struct Variant: Sendable {
  /// Their options, with those that do not matter set aside, and no seed.
  package let configuration: RunConfiguration
  /// By seed.
  package let records: [RunRecord]

  package var title: String { configuration.title }

  /// What makes two runs the same but for chance.
  static func key(of record: RunRecord, withSeed: Bool = false) -> RunConfiguration {
    var key = record.result.configuration.essence
    if !withSeed { key.seed = 0 }
    // A limit that takes the whole stream is no limit.
    key.data.limit = record.result.examplesOfRun
    return key
  }

  package var seeds: [UInt64] { records.map(\.result.configuration.seed) }
  var examplesOfStream: Int { records[0].result.examplesOfRun }

  /// A figure of the records that have it.
  package func sample(_ figure: (RunResult) -> Double?) -> Sample? {
    let values = records.compactMap { figure($0.result) }
    return values.isEmpty ? nil : Sample(values)
  }

  /// The runs that were evaluated.
  package var n: Int { accuracy?.n ?? 0 }

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

  /// The most items that a memory held at any instant; the mean over seeds.
  var peakItems: Double { Sample(records.map { Double($0.result.storage.examples) }).mean }

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
    let difference =
      Estimate(paper: nil, bySeed: accuracyBySeed) - Estimate(paper: nil, bySeed: other.accuracyBySeed)
    return difference.bySeed.flatMap { PairedComparison(differences: $0) }
  }
}

extension RunResult {
  /// The length of its stream; where it was asked to end before, what it took.
  fileprivate var examplesOfRun: Int { coolDown == nil ? plan.streamExamples : stream.examples }
}
