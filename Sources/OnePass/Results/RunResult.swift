import OnePassCore
import OnePassData
import OnePassReplay

/// What a run achieved and what it cost: the content of `result.json`.
///
/// Every figure is counted by the program as it runs, never derived from the configuration.
public struct RunResult: Codable, Sendable {
  /// Shares of the evaluation examples, 0 … 1.
  public struct Accuracy: Codable, Hashable, Sendable {
    public var top1: Double
    /// Where there are more than five classes.
    public var top5: Double?
    /// The mean cross-entropy, in nats.
    public var loss: Double
    public var examples: Int
    public var skipped: Int
  }

  /// The most that was kept of the stream at any instant.
  public struct Storage: Codable, Hashable, Sendable {
    public var examples: Int
    /// The index included.
    public var bytes: Int
    /// `examples` / examples of the stream.
    public var exampleFraction: Double
    /// `bytes` / encoded bytes of the stream.
    public var byteFraction: Double
    /// The part of it that waited in the shuffle buffer, where there was one.
    public var shuffleBuffer: ShuffleBuffer.Amount?
    /// What the finished run still has of the memory's images, as copies to be looked at. Training never uses them, and
    /// the figures above do not count them.
    public var pictures: Pictures?
    /// Pictures of the memory in the event files, where there are any: copies of images of the stream that stay when the memory
    /// has let go of them. The figures above do not count them either.
    public var loggedPictures: LoggedPictures?
  }

  /// Pictures of what the memory held, each of up to 64 images, as they were at the end of the run.
  public struct LoggedPictures: Codable, Hashable, Sendable {
    public var count: Int
    /// As PNG files.
    public var bytes: Int
  }

  /// Copies of images that are kept with a finished run.
  public struct Pictures: Codable, Hashable, Sendable {
    public var examples: Int
    /// Of their images.
    public var bytes: Int
  }

  /// The paper's compute metric: examples back-propagated, relative to 90 passes over the stream.
  public struct Compute: Codable, Hashable, Sendable {
    public var examples: Int
    /// `examples` / (90 · examples of the stream).
    public var fraction: Double
    /// Optimiser updates made.
    public var updates: Int

    static func fraction(examples: Int, ofStream count: Int) -> Double {
      Double(examples) / Double(referenceEpochs * count)
    }
  }

  /// How the stream was classified on its way in, each example before it was trained on.
  public struct Online: Codable, Hashable, Sendable {
    /// The share that was classified right, 0 … 1, with batch statistics and under the incoming view.
    public var top1: Double
    public var examples: Int
  }

  public struct Throughput: Codable, Hashable, Sendable {
    /// Trained images a second, replays and decoding included, evaluation not.
    public var imagesPerSecond: Double
    /// Seconds of the training in which the device had nothing to do because images were not decoded yet; on a GPU an
    /// upper bound. `nil` in records of an older program.
    public var imageWaitSeconds: Double?
    /// Seconds of the training that went into logs. `nil` in records of an older program.
    public var logSeconds: Double?
  }

  /// How several processes trained together.
  public struct Processes: Codable, Hashable, Sendable {
    /// How many there were.
    public var count: Int
    /// Bytes of gradients that a process put into sums over all: 4 a parameter and update. What crosses a network is up to
    /// twice that, by the way in which the sums are made.
    public var gradientBytes: Int
    /// Other bytes that the first process sent: what it took and found, and images.
    public var otherBytes: Int
  }

  public struct Stream: Codable, Hashable, Sendable {
    /// Examples taken from the stream, broken ones included; in multi-epoch training those of one pass.
    public var examples: Int
    /// Broken images that were left out.
    public var skipped: Int
    /// Encoded bytes of the examples taken.
    public var bytes: Int
  }

  /// `nil` where no evaluation data was given.
  public var accuracy: Accuracy?
  /// The accuracy along the first pass, by predicting before training (Blum, Kalai, Langford 1999, "progressive
  /// validation"). Records of version 0.1.0 have none.
  public var online: Online?
  public var storage: Storage
  public var compute: Compute
  public var throughput: Throughput
  /// Seconds from the first step to the end of the evaluation.
  public var wallSeconds: Double
  /// Seconds of training alone.
  public var trainingSeconds: Double
  public var stream: Stream
  /// The cool-down with which the run ended before its plan, where it was asked to: how far it came is in ``stream``.
  public var coolDown: CoolDown?
  /// What the replay memory did, where there was one.
  public var memory: MemoryCounters?
  /// What the replay memory held at the end, where there was one. Records of version 0.1.0 have none.
  public var memoryContents: MemorySummary?
  public var configuration: RunConfiguration
  public var plan: TrainingPlan
  /// The version of OnePass.
  public var version: String
  /// The full hash of the commit that the program was built from. `nil` where that is not known: the build had no repository,
  /// the program is not `onepass`, or the record is of an older one.
  public var commit: String?
  /// Whether tracked files differed from ``commit`` when the program was built; `nil` where that is.
  public var dirty: Bool?
  /// The version of libtorch.
  public var engine: String
  /// What the run was made on. Records of version 0.1.0 do not say.
  public var machine: Machine?
  /// `nil` where there was one process.
  public var processes: Processes?

  /// The version and the commit: `0.1.0 (3f2a91c07be4, modified)`.
  package var versionText: String {
    SourceRevision.describe(version: version, commit: commit, isModified: dirty)
  }

  /// Passes of the multi-epoch run that counts as 100 % compute (Hu et al. 2021, section 2).
  public static let referenceEpochs = 90
}
