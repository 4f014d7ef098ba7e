import OnePassCore

/// The estimated cost of a run, from a look at its data and a short warm-up: `onepass train --dry-run`.
///
/// ```swift
/// let forecast = try TrainingRun(configuration).forecast()
/// print(forecast.time.trainingSeconds, forecast.peakResidentBytes)
/// ```
///
/// Counts that follow from the configuration and the length of the stream are exact if no image is broken. Times, resident
/// memory and sizes of images are estimates.
public struct RunForecast: Codable, Hashable, Sendable {
  /// The stream, as far as it was read.
  public struct Stream: Codable, Hashable, Sendable {
    /// N, the number of examples that the run would take.
    public var examples: Int
    /// The number of classes.
    public var classes: Int
    /// The mean encoded size of the images that were read, in bytes.
    public var imageBytes: Double
    /// The number of images that were read.
    public var imagesSeen: Int
    /// Whether the images that were read are lost, as from standard input.
    public var isConsumed: Bool
  }

  /// The work of the run.
  public struct Compute: Codable, Hashable, Sendable {
    /// The number of incoming mini-batches.
    public var steps: Int
    /// The number of optimiser updates.
    public var updates: Int
    /// The number of examples back-propagated, replays included.
    public var examples: Int
    /// The compute metric of the paper: `examples` / (90 · examples of the stream).
    public var fraction: Double
    /// Mini-batches trained per incoming one, k + 1; in multi-epoch training, the number of passes.
    public var effectiveEpochs: Int
  }

  /// The peak storage. Either examples or bytes are the budget, and the other figure is estimated from the first images.
  public struct Storage: Codable, Hashable, Sendable {
    /// The number of stored examples.
    public var examples: Int
    /// The size of the stored examples in bytes, with the index.
    public var bytes: Int
    /// Whether the budget is in bytes, so that `examples` is the estimate.
    public var isBudgetInBytes: Bool
    /// Whether the images are stored on disk.
    public var isOnDisk: Bool
    /// The part of `bytes` in the shuffle buffer.
    public var shuffleBufferBytes: Int
  }

  /// The duration of the run.
  public struct Time: Codable, Hashable, Sendable {
    /// The duration of the training, or of the rest of it in a resumed run, in seconds.
    public var trainingSeconds: Double
    /// The duration of the evaluation in seconds; `nil` without one, or if the length of its data is unknown.
    public var evaluationSeconds: Double?
    /// Trained images per second, decoding included.
    public var imagesPerSecond: Double

    /// The duration of training and evaluation, in seconds.
    public var seconds: Double { trainingSeconds + (evaluationSeconds ?? 0) }
  }

  /// The warm-up that was measured.
  public struct WarmUp: Codable, Hashable, Sendable {
    /// The mini-batch size; smaller than that of the run if a mini-batch takes too long.
    public var batchSize: Int
    /// The replay steps per mini-batch; fewer than in the run if a step takes too long.
    public var replaySteps: Int
    /// The number of timed steps.
    public var steps: Int
    /// The duration of the whole warm-up with its start, in seconds.
    public var seconds: Double
    /// The share of the time in which threads could run that they spent waiting for a processor, 0 … 1; `nil` if the system
    /// does not count it.
    public var waitShare: Double?
  }

  /// The stream, as far as it was read.
  public var stream: Stream
  /// The work of the run.
  public var compute: Compute
  /// The peak storage; `nil` if nothing is stored.
  public var storage: Storage?
  /// The duration of the run.
  public var time: Time
  /// The peak resident memory of the process, in bytes, without memory of a GPU.
  public var peakResidentBytes: Int
  /// The budget for encoded images that wait and for pixels that are being decoded, in bytes.
  public var decodeBudgetBytes: Int
  /// The step after which the run would resume; `nil` if it would start.
  public var resumesAfterStep: Int?
  /// The warm-up that was measured.
  public var warmUp: WarmUp
  /// Notices for the user.
  public var notices: [String]
  /// All options, with the values that were found in the data or chosen by default.
  public var configuration: RunConfiguration
  /// The version of OnePass.
  public var version: String
  /// The version of libtorch.
  public var engine: String
  /// The machine that was measured.
  public var machine: Machine
}
