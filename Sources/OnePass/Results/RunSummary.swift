import OnePassCore

/// The figures by which runs are compared, of a finished run or of the last checkpoint of an unfinished one.
///
/// ```swift
/// let summary = try RunSummary(of: "runs/first")
/// print(summary.title, summary.storedFraction, summary.computeFraction)
/// ```
public struct RunSummary: Sendable {
  /// The method and its options.
  public let title: String
  /// The model and its options.
  public let modelTitle: String
  /// The progress of the run.
  public let stage: RunStage
  /// The top-1 accuracy on the evaluation data, 0 … 1; `nil` without an evaluation.
  public let top1: Double?
  /// The peak number of stored examples as a fraction of the examples seen.
  public let storedFraction: Double
  /// The peak number of stored bytes as a fraction of the bytes seen.
  public let storedByteFraction: Double
  /// The examples trained as a fraction of 90 passes over those seen.
  public let computeFraction: Double
  /// The examples trained per second, replays included.
  public let imagesPerSecond: Double
  /// The duration in seconds.
  public let seconds: Double

  /// Reads the files of a run, and changes nothing.
  /// - Throws: `OnePassError`: `io` if there is no run, `badData` if it is damaged.
  public init(of path: String) throws {
    if let last = try UnfinishedRun.lastCheckpoint(of: path) {
      self.init(last)
    } else {
      self.init(try RunFiles.result(in: path))
    }
  }

  private init(_ result: RunResult) {
    stage = .finished
    (title, modelTitle) = (result.configuration.title, result.configuration.modelTitle)
    top1 = result.accuracy?.top1
    (storedFraction, storedByteFraction) = (result.storage.exampleFraction, result.storage.byteFraction)
    computeFraction = result.compute.fraction
    (imagesPerSecond, seconds) = (result.throughput.imagesPerSecond, result.wallSeconds)
  }

  private init(_ last: UnfinishedRun.Contents) {
    let (state, tally, position) = (
      last.state, last.state.loop.incoming.tally, last.state.loop.position
    )
    stage = RunStage(state, at: last.folder)
    (title, modelTitle) = (state.configuration.title, state.configuration.modelTitle)
    top1 = nil
    let seen = max(1, min(tally.taken, state.plan.streamExamples))
    let keepsAll = state.configuration.method == .multiEpoch
    storedFraction = keepsAll ? 1 : Double(last.memory?.counters.peakItems ?? 0) / Double(seen)
    storedByteFraction =
      keepsAll ? 1 : Double(last.memory?.counters.peakBytes ?? 0) / Double(max(1, tally.bytes))
    computeFraction = RunResult.Compute.fraction(examples: position.examplesTrained, ofStream: seen)
    imagesPerSecond = Double(position.examplesTrained) / max(position.seconds, 1e-9)
    seconds = position.seconds
  }
}
