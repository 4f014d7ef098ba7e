import OnePassCore
import OnePassData
import OnePassReplay

extension RunConfiguration {
  /// The replay memory: its capacity, admission, drawing, eviction and the encoding of its images.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "folder:photos/train")
  /// configuration.memory.storage = .fraction(0.05)
  /// configuration.memory.encoding = .resized
  /// ```
  public struct MemoryOptions: RunOptionGroup {
    static let applies = OptionCondition.replay

    /// The capacity of the replay memory.
    @RunOption(
      "storage",
      "Capacity of the replay memory: a share of the stream (10%), examples (6000) or bytes (500MB).",
      value: "AMOUNT"
    )
    public var storage: StorageBudget = .fraction(0.1)

    /// β, the recency bias of the reservoir, above 0 (Hu et al. 2021, section 3.1).
    @RunOption(
      "recency-bias",
      "Recency bias β of the reservoir: with 1 all examples are equally likely to be kept, larger values favour recent ones.",
      value: "BETA", in: .positive, applies: .reservoir, deviationOfRun: \.admissionWords)
    public var recencyBias: Double = 1.5

    /// How items are drawn for replay.
    @RunOption(
      "drawing",
      "How items are drawn for replay; uniform+class-balanced:0.3 takes 30% of draws from the second selector.",
      applies: .draws,
      deviation: { "drawing \($0.rawValue)" })
    public var drawing: SelectorKind = .prioritised

    /// How items are selected for eviction. ``/OnePassReplay/SelectorKind/cbrs`` also decides which examples are inserted.
    @RunOption(
      "evicting",
      "How items are evicted; uniform+oldest:0.3 takes 30% of evictions from the second selector. cbrs also decides on insertions.",
      deviationOfRun: \.evictingWords)
    public var evicting: SelectorKind = .uniform

    /// The encoding of stored images.
    @RunOption(
      "memory-encoding",
      "Encoding of stored images: original (as they arrive), pixels (8 bits), or resized (JPEG at the size that crops are taken from).",
      before: .original, deviationOfRun: \.storedFormTitle)
    public var encoding: MemoryEncoding = .original

    /// The side length of resized images, 8 … 4,096 pixels; the size that crops are taken from if `nil`.
    @RunOption(
      "memory-size",
      "Side length in pixels of images stored with --memory-encoding resized (default: the pre-crop size).",
      value: "PIXELS", in: .between(8, 4_096), applies: .resizedImages)
    public var imageSize: Int? = nil

    /// The JPEG quality of resized images, 1 … 100; 90 if `nil`.
    @RunOption(
      "memory-quality",
      "JPEG quality of stored images, with --memory-encoding resized (default: 90).",
      value: "1...100", in: .between(1, 100), applies: .resizedImages)
    public var quality: Int? = nil

    /// w, the weight of the stored prediction in the target of a replayed image, 0 ..< 1.
    ///
    /// The memory then stores the model's last prediction with each item, in 12 bytes.
    @RunOption(
      "stored-predictions",
      "Weight of the model's last prediction in the target of a replayed image; each item stores it in 12 bytes (0: none).",
      value: "0..<1", in: .shareBelowOne, before: 0, applies: .draws,
      deviation: { "\($0) of targets from stored predictions" })
    public var storedPredictions: Double = 0.0

    /// The folder in which the memory stores its images; they are in RAM if `nil`.
    @RunOption(
      "memory-directory", "Folder for the images of the memory, to store them on disk instead of in RAM.",
      value: "DIR", in: .text("a folder") { !$0.isEmpty })
    public var directory: String? = nil

    /// The key file with which the images of the memory are encrypted on disk; they are not if `nil`.
    ///
    /// It is created if it does not exist. See ``/OnePassReplay/MemoryKeys``.
    @RunOption(
      "memory-key",
      "Key file to encrypt the images of the memory on disk, in checkpoints too; created if missing, outside of the run.",
      value: "FILE", in: .text("a file") { !$0.isEmpty }, changesResults: false)
    public var key: String? = nil

    /// The maximum age of an example in the memory; unlimited if `nil`.
    @RunOption(
      "time-to-live",
      "Maximum age of an example in the memory, as a number of later examples (50000) or a time (30d).",
      value: "N|TIME")
    public var timeToLive: TimeToLive? = nil

    /// The number of images at each end of the priorities that a finished run keeps for inspection, 0 … 500.
    ///
    /// None are kept with a time to live, which they would outlive, or with a memory directory, which has them already.
    @RunOption(
      "keep-pictures",
      "Copy the N images with the highest and the N with the lowest priorities into the output folder, for `memory inspect`.",
      value: "N", in: .between(0, 500), before: 0, applies: .copiesOfImages, changesResults: false)
    public var keepPictures: Int = 0

    /// With so large a β every example of any stream is admitted.
    fileprivate var admitsAll: Bool { recencyBias >= 1e6 }
    fileprivate var isWindow: Bool { admitsAll && evicting == .oldest }
  }
}

extension StorageBudget: SelfChecking {}

extension RunConfiguration {
  fileprivate var admissionWords: String? {
    if memory.isWindow { return "window" }
    return memory.admitsAll ? "all inserted" : "β = \(Figures.short(memory.recencyBias))"
  }

  fileprivate var evictingWords: String? {
    memory.isWindow ? nil : memory.evicting == .cbrs ? "CBRS" : "evicting \(memory.evicting.rawValue)"
  }
}
