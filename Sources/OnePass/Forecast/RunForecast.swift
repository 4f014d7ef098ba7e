import OnePassCore

/// What a run would come to, found by looking at its data and by a short warm-up: `onepass train --dry-run`.
///
/// ```swift
/// let forecast = try TrainingRun(configuration).forecast()
/// print(forecast.time.trainingSeconds, forecast.peakResidentBytes)
/// ```
///
/// What follows from the configuration and the length of the stream is exact as long as no image is broken; what is
/// measured (time, resident memory) or comes from the first images (bytes) is an estimate.
public struct RunForecast: Codable, Hashable, Sendable {
  public struct Stream: Codable, Hashable, Sendable {
    /// N, the examples that the run would take.
    public var examples: Int
    public var classes: Int
    /// The mean size of the images that were looked at, in encoded bytes.
    public var imageBytes: Double
    /// How many images were looked at.
    public var imagesSeen: Int
    /// Whether what was looked at is gone, as from standard input.
    public var isConsumed: Bool
  }

  public struct Compute: Codable, Hashable, Sendable {
    /// Incoming mini-batches.
    public var steps: Int
    /// Optimiser updates.
    public var updates: Int
    /// Examples back-propagated, replays included.
    public var examples: Int
    /// `examples` / (90 · examples of the stream).
    public var fraction: Double
    /// Mini-batches that are trained for each incoming one: k + 1; the passes of multi-epoch training.
    public var effectiveEpochs: Int
  }

  /// What would be kept of the stream at most; one of the two figures is the budget, the other an estimate from the first
  /// images.
  public struct Storage: Codable, Hashable, Sendable {
    public var examples: Int
    /// The index included.
    public var bytes: Int
    /// Whether the budget is in bytes, so that `examples` is the estimate.
    public var isBudgetInBytes: Bool
    /// Whether the images lie on disk.
    public var isOnDisk: Bool
    /// The part of `bytes` that waits in the shuffle buffer.
    public var shuffleBufferBytes: Int
  }

  public struct Time: Codable, Hashable, Sendable {
    /// Of the training, or of what is left of it where the run would go on.
    public var trainingSeconds: Double
    /// Of the evaluation; `nil` where there is none, or its length is not known.
    public var evaluationSeconds: Double?
    /// Trained images a second, decoding included.
    public var imagesPerSecond: Double

    /// Training and evaluation together, in seconds.
    public var seconds: Double { trainingSeconds + (evaluationSeconds ?? 0) }
  }

  /// What was done to measure.
  public struct WarmUp: Codable, Hashable, Sendable {
    /// Examples in a mini-batch; fewer than the run's where a mini-batch takes too long.
    public var batchSize: Int
    /// Mini-batches replayed with each; fewer than the run's where a step takes too long.
    public var replaySteps: Int
    /// Steps whose time was taken.
    public var steps: Int
    /// The whole warm-up, start-up included.
    public var seconds: Double
  }

  public var stream: Stream
  public var compute: Compute
  /// `nil` where nothing is kept.
  public var storage: Storage?
  public var time: Time
  /// The most that the process would have in RAM at any instant, in bytes. Memory of a GPU is not in it.
  public var peakResidentBytes: Int
  /// The step after which the run would go on; `nil` where it would begin.
  public var resumesAfterStep: Int?
  public var warmUp: WarmUp
  /// What the user should know.
  public var notices: [String]
  /// Every option, those that were left to the program as it would choose them.
  public var configuration: RunConfiguration
  /// The version of OnePass.
  public var version: String
  /// The version of libtorch.
  public var engine: String
  /// What the figures hold for.
  public var machine: Machine
}
