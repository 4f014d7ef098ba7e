import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

/// The accuracy of a run, its storage, its compute and its configuration: the content of `result.json`.
///
/// All figures are counted during the run, not derived from the configuration.
///
/// ```swift
/// let result = try RunFiles.result(in: "runs/first")
/// print(result.accuracy?.top1 ?? 0, result.storage.exampleFraction, result.compute.fraction)
/// ```
public struct RunResult: Codable, Sendable {
  /// The accuracy and loss on the evaluation data.
  public struct Accuracy: Codable, Hashable, Sendable {
    /// The top-1 accuracy, 0 … 1.
    public var top1: Double
    /// The top-5 accuracy, 0 … 1; `nil` with five classes or fewer.
    public var top5: Double?
    /// The mean cross-entropy, in nats.
    public var loss: Double
    /// The number of evaluated examples.
    public var examples: Int
    /// The number of broken images, which were skipped.
    public var skipped: Int
    /// The numbers of entries that the evaluation data left out, by reason; `nil` in records of earlier versions.
    public var leftOut: [String: Int]?
    /// The decisions between several readings of the evaluation data; `nil` in records of earlier versions.
    public var choices: [SourceReport.Choice]?
    /// The accuracy on the classes of each group of the stream, `nil` where no example has such a class; `nil` without groups.
    public var groups: [Double?]?
  }

  /// The accuracy on the evaluation data at a point of the stream.
  public struct AccuracyPoint: Codable, Hashable, Sendable {
    /// The number of steps done.
    public var step: Int
    /// The number of examples taken from the stream.
    public var examplesSeen: Int
    /// The number of optimiser updates made.
    public var updates: Int
    /// The top-1 accuracy, 0 … 1.
    public var top1: Double
    /// The top-5 accuracy, 0 … 1; `nil` with five classes or fewer.
    public var top5: Double?
    /// The mean cross-entropy, in nats.
    public var loss: Double
    /// The number of evaluated examples.
    public var examples: Int
    /// The accuracy on the classes of each group of the stream, `nil` where no example has such a class; `nil` without groups.
    public var groups: [Double?]?
  }

  /// The peak storage of examples from the stream.
  public struct Storage: Codable, Hashable, Sendable {
    /// The number of examples.
    public var examples: Int
    /// The size in bytes, with the index.
    public var bytes: Int
    /// The storage metric of the paper: `examples` / examples of the stream.
    public var exampleFraction: Double
    /// `bytes` / encoded bytes of the stream.
    public var byteFraction: Double
    /// The part in the shuffle buffer; `nil` without one.
    public var shuffleBuffer: ShuffleBuffer.Amount?
    /// The part in messages of a broker that were fetched and not taken; `nil` with other data. The client library may hold up to
    /// 16 MiB more.
    public var fetchedBytes: Int?
    /// The bytes that the figures above leave out; `nil` in records of earlier versions.
    public var uncounted: Uncounted?
    /// The copies of images that the finished run keeps for inspection. They are not counted above, since training does not
    /// use them.
    public var pictures: Pictures?
    /// The pictures of the memory in the event files, if any. They contain copies of images that outlive the memory, and are
    /// not counted above either.
    public var loggedPictures: LoggedPictures?
  }

  /// The bytes of images from the stream, or about them, that ``Storage`` leaves out. With several ranks, those of the first.
  public struct Uncounted: Codable, Hashable, Sendable {
    /// The peak of the encoded images of mini-batches in flight: incoming ones, from the source until they are trained.
    ///
    /// Replayed images count where they are copies: with a memory on disk, or from another rank.
    public var batchEncodedBytes: Int
    /// The peak of the decoded images of mini-batches in flight, incoming and replayed.
    public var batchDecodedBytes: Int
    /// The size of the ledger, with the hashes of subjects if they are recorded; `nil` without a ledger.
    public var ledgerBytes: Int?
    /// What the allocator reserves at the end of the training beyond the images of a memory in RAM; `nil` without such a memory.
    public var allocatorBytes: Int?
    /// The budget for encoded images that wait and for pixels that are being decoded; `nil` in records of earlier versions.
    public var decodeBudgetBytes: Int?
    /// The peak of the bytes that counted towards this budget in the process; `nil` in records of earlier versions.
    public var decodePeakBytes: Int?
    /// The bytes of waiting images that exceeded the budget and were written to temporary files, in total.
    ///
    /// `nil` in records of earlier versions.
    public var decodeWrittenBytes: Int?
  }

  /// The pictures of the memory in the event files at the end of a run, each of up to 64 images.
  public struct LoggedPictures: Codable, Hashable, Sendable {
    /// The number of pictures.
    public var count: Int
    /// The size as PNG files, in bytes.
    public var bytes: Int
  }

  /// The copies of images that a finished run keeps.
  public struct Pictures: Codable, Hashable, Sendable {
    /// The number of images.
    public var examples: Int
    /// The size of the images, in bytes.
    public var bytes: Int
  }

  /// The paper's compute metric: examples back-propagated, relative to 90 passes over the stream.
  public struct Compute: Codable, Hashable, Sendable {
    /// The number of examples back-propagated, replays included.
    public var examples: Int
    /// `examples` / (90 · examples of the stream).
    public var fraction: Double
    /// The number of optimiser updates.
    public var updates: Int

    static func fraction(examples: Int, ofStream count: Int) -> Double {
      Double(examples) / Double(referenceEpochs * count)
    }
  }

  /// The accuracy on incoming examples, each measured before the update on it.
  public struct Online: Codable, Hashable, Sendable {
    /// The last predictions, at most 1,000.
    public struct Window: Codable, Hashable, Sendable {
      /// The number of predictions.
      public var examples: Int
      /// The top-1 accuracy, 0 … 1.
      public var top1: Double
      /// The mean cross-entropy, in nats.
      public var loss: Double
      /// The expected calibration error, 0 … 1, with 15 equal intervals (Guo et al. 2017).
      public var calibrationError: Double
    }

    /// All predictions, with weights that fade with their age (Gama, Sebastião and Rodrigues 2013).
    public struct Fading: Codable, Hashable, Sendable {
      /// The factor of a weight per later prediction.
      public var factor: Double
      /// The top-1 accuracy, 0 … 1.
      public var top1: Double
      /// The mean cross-entropy, in nats.
      public var loss: Double
    }

    /// The top-1 accuracy, 0 … 1, with batch statistics and the crops of training.
    public var top1: Double
    /// The number of examples.
    public var examples: Int
    /// The mean cross-entropy, in nats; `nil` in records of earlier versions, like the following.
    public var loss: Double?
    /// The expected calibration error, 0 … 1, with 15 equal intervals (Guo et al. 2017).
    public var calibrationError: Double?
    /// The last predictions.
    public var window: Window?
    /// All predictions, with weights that fade.
    public var fading: Fading?
  }

  /// The speed of the training.
  public struct Throughput: Codable, Hashable, Sendable {
    /// Trained images per second, with replays and decoding, without evaluation.
    public var imagesPerSecond: Double
    /// The time in which the device was idle because images were not decoded yet, in seconds; on a GPU, an upper bound.
    ///
    /// `nil` in records of earlier versions.
    public var imageWaitSeconds: Double?
    /// The time spent on logging, in seconds; `nil` in records of earlier versions.
    public var logSeconds: Double?
  }

  /// The communication of processes that trained together.
  public struct Processes: Codable, Hashable, Sendable {
    /// The number of processes.
    public var count: Int
    /// The size of the gradients that each process contributed to sums: 4 bytes per parameter and update.
    ///
    /// Up to twice as many bytes cross the network, depending on the algorithm of the sums.
    public var gradientBytes: Int
    /// The number of other bytes that the first process sent: labels, losses and images.
    public var otherBytes: Int
  }

  /// The CPU threads of the run.
  public struct Threads: Codable, Hashable, Sendable {
    /// The number of threads of an operator.
    public var compute: Int
    /// The processors that the process may use, which limit the default numbers of threads.
    public var processors: AvailableProcessors
    /// How the threads of an operator wait for each other.
    public var waiting: ThreadWaiting
    /// The kernels that computed on the CPU; `nil` in records of earlier versions.
    public var kernels: Kernels?
    /// The time of all threads of the process on processors during the training, in seconds; `nil` in records of earlier versions.
    public var cpuSeconds: Double?
    /// The share of the time in which threads could run that they spent waiting for a processor during the training, 0 … 1.
    ///
    /// Other processes, a CPU quota or too many threads cause it. `nil` where the system does not count it, and in records of
    /// earlier versions.
    public var waitShare: Double?
  }

  /// The examples taken from the stream.
  public struct Stream: Codable, Hashable, Sendable {
    /// The number of examples, broken ones included; in multi-epoch training, those of one pass.
    public var examples: Int
    /// The number of broken images, which were skipped.
    public var skipped: Int
    /// The encoded size of the examples, in bytes.
    public var bytes: Int
    /// The numbers of entries that the source left out, by reason; `nil` in records of earlier versions.
    public var leftOut: [String: Int]?
    /// The decisions between several readings of the data; `nil` in records of earlier versions.
    public var choices: [SourceReport.Choice]?
    /// The number of images whose metadata states that they are stored rotated or mirrored. TIFF images, which are always turned,
    /// do not count. `nil` in records of earlier versions.
    public var rotated: Int?
    /// The places where the stream continued with another source (`--resume --continue`); `nil` if it has one source.
    public var gaps: [StreamGap]?
    /// Whether the order of the examples is a function of the seed, or of `--order-seed`; in multi-epoch training it always is.
    ///
    /// `nil` if the source does not know, and in records of earlier versions.
    public var orderedBySeed: Bool?
    /// The number of messages that a broker removed before they could be read; `nil` with other data.
    public var lost: Int?
    /// The number of messages that were left in a broker's stream at the end; `nil` with other data, and if it is unknown.
    public var lag: Int?
  }

  /// The accuracy on the evaluation data; `nil` without evaluation data.
  public var accuracy: Accuracy?
  /// The accuracy along the stream, the final one included; `nil` without `--eval-every` and without groups of classes.
  public var accuracyCurve: [AccuracyPoint]?
  /// The accuracy by groups of classes; `nil` without groups, without evaluation data that can be read repeatedly, and with
  /// open classes.
  public var groups: GroupAccuracies?
  /// The accuracy during the first pass (Blum, Kalai, Langford 1999, "progressive validation").
  ///
  /// `nil` in records of version 0.1.0.
  public var online: Online?
  /// The alarms of `--drift`, at most the last 1,000; `nil` without the option.
  public var drift: [DriftAlarm]?
  /// The peak storage.
  public var storage: Storage
  /// The compute.
  public var compute: Compute
  /// The speed of the training.
  public var throughput: Throughput
  /// The time from the first step to the end of the evaluation, in seconds, with the evaluations along the stream.
  public var wallSeconds: Double
  /// The time of the training, in seconds, without evaluations.
  public var trainingSeconds: Double
  /// The examples taken from the stream.
  public var stream: Stream
  /// The cool-down that ended the run early by request, if any.
  public var coolDown: CoolDown?
  /// The counters of the replay memory; `nil` without one.
  public var memory: MemoryCounters?
  /// The contents of the replay memory at the end; `nil` without one, and in records of version 0.1.0.
  public var memoryContents: MemorySummary?
  /// All options, with the values that were found in the data or chosen by default.
  public var configuration: RunConfiguration
  /// The plan of the run.
  public var plan: TrainingPlan
  /// The version of OnePass.
  public var version: String
  /// The full hash of the commit that the program was built from.
  ///
  /// `nil` if it is unknown: in builds without a repository, in programs other than `onepass`, and in older records.
  public var commit: String?
  /// Whether tracked files differed from ``commit`` in the build; `nil` if the commit is unknown.
  public var dirty: Bool?
  /// The version of libtorch.
  public var engine: String
  /// The machine of the run; `nil` in records of version 0.1.0.
  public var machine: Machine?
  /// The CPU threads; `nil` in records of earlier versions.
  public var threads: Threads?
  /// The communication of the processes; `nil` if there was only one.
  public var processes: Processes?

  /// The version and the commit, as `0.1.0 (3f2a91c07be4, modified)`.
  package var versionText: String {
    SourceRevision.describe(version: version, commit: commit, isModified: dirty)
  }

  /// The number of passes that count as 100 % compute (Hu et al. 2021, section 2).
  public static let referenceEpochs = 90
}
