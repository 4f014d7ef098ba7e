import OnePassCore
import OnePassReplay

extension RunConfiguration {
  /// The number of replays and the priorities of examples.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "fashion-mnist")
  /// configuration.replay.steps = 3
  /// configuration.replay.priority = .uniform
  /// ```
  public struct ReplayOptions: RunOptionGroup {
    static let applies = OptionCondition.replay

    /// k, the number of replay steps per incoming mini-batch, 0 … 10,000.
    @RunOption(
      "replay-steps", "Number of replayed mini-batches per incoming mini-batch (k).", aliases: ["k"],
      value: "K",
      key: "replaySteps",
      in: .between(0, 10_000))
    public var steps: Int = 8

    /// How replay steps are distributed over the run.
    @RunOption(
      "replay-course",
      "Replay steps over the run: constant (k), or rising linearly from 0 to 2k (rising).",
      before: .constant, applies: .draws, deviation: { "k \($0.rawValue)" })
    public var course: ReplayCourse = .constant

    /// The priority function.
    @RunOption(
      "priority",
      """
      Priority of an example: 1 - α·exp(-loss) (loss), equal (uniform), 1 - α·exp(-|loss - its running mean|) (learnability), \
      or 1, halved for losses below the memory's mean (pruning). The last two require --priority-timing refreshed.
      """)
    public var priority: PriorityKind = .loss

    /// The schedule of α, the smoothing factor of priorities (Hu et al. 2021, section 3.2).
    @RunOption(
      "alpha",
      "Schedule of the smoothing factor α: from 0 to 1 (full), or the paper's formula as printed, which ends at 0.46 (literal).",
      key: "smoothing", applies: .smoothedPriorities, deviation: { "\($0.rawValue) α" })
    public var smoothing: SmoothingSchedule = .full

    /// When the loss and α of a priority are taken.
    @RunOption(
      "priority-timing",
      "When the loss and α of a priority are taken: at insertion, α at each step (current), or at the last replay (refreshed).",
      applies: .unequalPriorities, deviationOfRun: \.priorityTimingWords)
    public var priorityTiming: PriorityTiming = .insertion

    /// Whether replayed losses are weighted by 1/P, with mean 1 in each mini-batch.
    @RunOption(
      "importance-weights", "Weight replayed losses by 1/P, with mean 1 in each mini-batch.", applies: .draws,
      deviation: { _ in "no importance weights" })
    public var importanceWeights: Bool = true
  }
}

extension RunConfiguration {
  fileprivate var priorityTimingWords: String? {
    switch replay.priorityTiming {
    case .insertion: nil
    case .current: "priorities with the current α"
    case .refreshed: replay.priority.followsReplays ? nil : "priorities refreshed"
    }
  }
}
