import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

/// The runs with the same options and different seeds, or different seeds of the order.
package struct Variant: Sendable {
  /// The options, without the seed and without those that do not affect the result.
  package let configuration: RunConfiguration
  /// The runs, ordered by seed and seed of the order.
  package let records: [RunRecord]

  /// The method with its options: `prioritised replay, k = 8, 10% storage`.
  package var title: String { configuration.title }

  /// The options that identify a variant, or with the seed a run.
  static func key(of record: RunRecord, withSeed: Bool = false) -> RunConfiguration {
    var key = record.result.configuration.essence
    (key.seed, key.orderSeed) = withSeed ? (key.seed, key.seedOfOrder) : (0, nil)
    // A limit of the length of the stream or more has no effect.
    key.data.limit = record.result.examplesOfRun
    return key
  }

  /// The seeds of the runs.
  package var seeds: [UInt64] { records.map(\.result.configuration.seed) }
  var examplesOfStream: Int { records[0].result.examplesOfRun }

  /// The values of a figure, from the records that have it; `nil` if no record does.
  package func sample(_ figure: (RunResult) -> Double?) -> Sample? {
    let values = records.compactMap { figure($0.result) }
    return values.isEmpty ? nil : Sample(values)
  }

  /// The number of evaluated runs.
  package var n: Int { accuracy?.n ?? 0 }

  /// Top-1 in percent.
  package var accuracy: Sample? { sample { $0.accuracy.map { 100 * $0.top1 } } }
  /// The peak storage in percent of the stream's examples.
  package var storage: Double { 100 * (records.map(\.result.storage.exampleFraction).max() ?? 0) }
  /// The peak storage, index included, in percent of the stream's bytes.
  package var storageBytes: Double { 100 * (records.map(\.result.storage.byteFraction).max() ?? 0) }
  /// The back-propagated examples in percent of 90 passes.
  package var compute: Double { 100 * (records.map(\.result.compute.fraction).max() ?? 0) }
  /// The back-propagated examples in passes over the stream.
  package var effectiveEpochs: Double { compute / 100 * Double(RunResult.referenceEpochs) }

  /// The peak number of items in the memory, mean over seeds.
  var peakItems: Double { Sample(records.map { Double($0.result.storage.examples) }).mean }

  /// Top-1 in percent of each evaluated run.
  var accuracyByReplicate: [Replicate: Double] {
    Dictionary(
      records.compactMap { record in
        record.result.accuracy.map { (Replicate(record.result), 100 * $0.top1) }
      }
    ) { first, _ in first }
  }

  /// The difference in top-1 from another variant, in percentage points; `nil` if one of them has no evaluated run.
  package func comparison(with other: Variant) -> Comparison? {
    (Estimate(paper: nil, self) - Estimate(paper: nil, other)).comparison
  }
}

extension RunResult {
  /// The length of the stream; of a run that cooled down early, the examples it has seen.
  fileprivate var examplesOfRun: Int { coolDown == nil ? plan.streamExamples : stream.examples }
}
