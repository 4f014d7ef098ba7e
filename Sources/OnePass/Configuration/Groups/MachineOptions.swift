import OnePassCore
import OnePassData
import OnePassTorch

extension RunConfiguration {
  /// The device, its precision and the threads of a run.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "fashion-mnist")
  /// configuration.machine.device = "cuda:0"
  /// configuration.machine.precision = .bfloat16
  /// ```
  public struct MachineOptions: RunOptionGroup {
    /// The compute device: `auto`, `cpu`, `cuda` or `cuda:i`.
    @RunOption("device", "Compute device: auto, cpu, cuda or cuda:i.", value: "DEVICE", changesResults: false)
    public var device: String = "auto"

    /// The precision of convolutions and matrix products in training; evaluation uses float32.
    @RunOption(
      "precision",
      "Precision of convolutions and matrix products in training: float32 or bfloat16 (mixed precision).",
      switches: ["amp": .bfloat16], value: "TYPE", before: .float32)
    public var precision: Precision = .float32

    /// Whether updates on full mini-batches are captured in a CUDA graph. Sums may differ in their last bits.
    ///
    /// On the CPU the same computation runs without a graph.
    @RunOption(
      "cuda-graphs",
      "Capture the update on a full mini-batch as a CUDA graph and replay it.",
      before: false, changesResults: false)
    public var cudaGraphs: Bool = false

    /// Whether batch statistics are computed over the mini-batch of all ranks, as in one process.
    @RunOption(
      "synchronised-batch-norm", "Synchronise batch statistics across all ranks (SyncBatchNorm).",
      before: false)
    public var synchronisedBatchNorm: Bool = false

    /// The number of CPU compute threads, 1 … 4,096; one per core that the process may use if `nil`.
    ///
    /// Results in float32 do not depend on it, those in bfloat16 in their last bits. Runs that differ only in it count as the same
    /// experiment.
    @RunOption(
      "threads", "Number of CPU compute threads (default: one per core that the process may use).",
      value: "T",
      in: .between(1, 4_096), changesResults: false)
    public var threads: Int? = nil

    /// The number of image decoding threads, 1 … 4,096; one per core if `nil`. Results do not depend on it.
    @RunOption(
      "decode-threads", "Number of image decoding threads (default: one per core).", aliases: ["workers"],
      value: "T",
      in: .between(1, 4_096), changesResults: false)
    public var decodeThreads: Int? = nil

    /// The budget for encoded images that wait and for pixels that are being decoded; if `nil`, a thirty-second of the
    /// machine's memory, or a quarter of it up to 2 GiB. Results do not depend on it.
    @RunOption(
      "decode-memory",
      "Memory for waiting encoded images and for decoding (default: 1/32 of the RAM, or 1/4 of it up to 2GiB).",
      value: "BYTES", changesResults: false)
    public var decodeMemory: DecodeBudget? = nil
  }
}

extension DecodeBudget: SelfChecking {}
