import OnePassCore
import OnePassData
import OnePassReplay

extension RunConfiguration {
  /// The replay memory: how much it holds, what comes in, what is drawn and what goes.
  public struct MemoryOptions: RunOptionGroup {
    static let applies = OptionCondition.replay

    /// How much of the stream the replay memory may hold.
    @RunOption(
      "storage", "What the memory may hold: a share (10%), examples (6000) or bytes (500MB).", value: "AMOUNT"
    )
    public var storage: StorageBudget = .fraction(0.1)

    /// The reservoir's β.
    @RunOption(
      "recency-bias", "β of the reservoir: 1 keeps all equally likely, more favours the fresh.",
      value: "BETA", in: .positive, deviationOfRun: \.admissionWords)
    public var recencyBias: Double = 1.5

    @RunOption(
      "drawing",
      "Which item is drawn for a replay. Two can be mixed: uniform+class-balanced:0.3 leaves three draws in ten to the second.",
      deviation: { "drawing \($0.rawValue)" })
    public var drawing: SelectorKind = .prioritised

    @RunOption(
      "evicting",
      "Which item makes room for a new one. Two can be mixed: uniform+oldest:0.3 keeps part reservoir, part window.",
      deviationOfRun: \.evictingWords)
    public var evicting: SelectorKind = .uniform

    /// In which form the memory keeps an image.
    @RunOption(
      "memory-encoding",
      "The form in which the memory keeps an image: as it arrived, as 8-bit pixels, or as a JPEG of the size crops are taken from.",
      before: .original, deviationOfRun: \.storedFormTitle)
    public var encoding: MemoryEncoding = .original

    /// The side of resized images in the memory, in pixels; the size from which crops are taken if `nil`.
    @RunOption(
      "memory-size",
      "With --memory-encoding resized, the side of the memory's images (default: the size from which crops are taken).",
      value: "PIXELS", in: .between(8, 4_096), applies: .resizedImages)
    public var imageSize: Int? = nil

    /// The JPEG quality of resized images in the memory, 1 … 100; 90 if `nil`.
    @RunOption(
      "memory-quality",
      "With --memory-encoding resized, the JPEG quality of the memory's images (default: 90).",
      value: "1...100", in: .between(1, 100), applies: .resizedImages)
    public var quality: Int? = nil

    /// w: the share of a replayed image's target that is what the model took it for when it was trained last.
    ///
    /// The memory then keeps that with each item, in 12 bytes.
    @RunOption(
      "stored-predictions",
      "The share of a replayed image's target that is what the model took it for when it was trained last; the memory keeps that in 12 bytes an item (0: none).",
      value: "0..<1", in: .shareBelowOne, before: 0,
      deviation: { "\($0) of targets from stored predictions" })
    public var storedPredictions: Double = 0.0

    /// The folder in which the memory keeps its images; in the process's own memory if `nil`.
    @RunOption(
      "memory-directory", "Keep the memory's images on disk in this folder, and not in RAM.", value: "DIR",
      in: .text("a folder") { !$0.isEmpty })
    public var directory: String? = nil

    /// How long an example may stay in the memory; as long as chance lets it if `nil`.
    @RunOption(
      "time-to-live",
      "How long an example may stay in the memory: until so many have come after it (50000), or a time (30d).",
      value: "N|TIME")
    public var timeToLive: TimeToLive? = nil

    /// How many images of each end of the priorities a finished run keeps, to be looked at. There are none with a time to
    /// live, which they would outlive, nor with a memory directory, which has them all.
    @RunOption(
      "keep-pictures",
      "Copy this many images of the highest, and of the lowest, priorities into the output folder, for `memory inspect`.",
      value: "N", in: .between(0, 500), before: 0, changesResults: false)
    public var keepPictures: Int = 0

    /// With β so large every example of any stream comes in.
    fileprivate var takesAllIn: Bool { recencyBias >= 1e6 }
    fileprivate var isWindow: Bool { takesAllIn && evicting == .oldest }
  }
}

extension StorageBudget: SelfChecking {}

extension RunConfiguration {
  fileprivate var admissionWords: String? {
    if memory.isWindow { return "window" }
    return memory.takesAllIn ? "all taken in" : "β = \(Figures.short(memory.recencyBias))"
  }

  fileprivate var evictingWords: String? {
    memory.isWindow ? nil : "evicting \(memory.evicting.rawValue)"
  }
}
