import OnePassCore
import OnePassTorch

extension RunConfiguration {
  /// Where and in what a run is computed.
  public struct MachineOptions: RunOptionGroup {
    /// `auto`, `cpu`, `cuda` or `cuda:i`.
    @RunOption(
      "device", "Where to compute: auto, cpu, cuda or cuda:i.", value: "DEVICE", changesResults: false)
    public var device: String = "auto"

    /// In what convolutions and matrix products are computed while training; evaluation is in float32.
    @RunOption(
      "precision",
      "In what convolutions and matrix products are computed while training: float32 or bfloat16 (mixed precision).",
      value: "TYPE", before: .float32)
    public var precision: Precision = .float32

    /// Whether the update on a full mini-batch is recorded once and launched as a whole for each (CUDA graphs). On the CPU
    /// the same work is done without a recording. The sums of a mini-batch may differ in their last bits.
    @RunOption(
      "cuda-graphs", "Record the update on a full mini-batch once, and launch it as a whole for each.",
      before: false, changesResults: false)
    public var cudaGraphs: Bool = false

    /// Whether batch normalisation takes the mini-batch's parts on all ranks together, as it is with one.
    @RunOption(
      "synchronised-batch-norm", "With several processes, normalise the whole mini-batch together.",
      before: false)
    public var synchronisedBatchNorm: Bool = false

    /// Threads that compute on the CPU; one for each core if `nil`.
    @RunOption(
      "threads", "Threads that compute on the CPU (default: one for each core).", value: "T",
      in: .between(1, 4_096), changesResults: false)
    public var threads: Int? = nil

    /// Threads that decode images; one for each core if `nil`. No result depends on it.
    @RunOption(
      "decode-threads", "Threads that decode images (default: one for each core).", value: "T",
      in: .between(1, 4_096), changesResults: false)
    public var decodeThreads: Int? = nil
  }
}
