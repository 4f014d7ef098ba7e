import OnePassCore
import OnePassReplay

extension RunConfiguration {
  /// What is replayed, and how its worth is judged.
  public struct ReplayOptions: RunOptionGroup {
    static let applies = OptionCondition.replay

    /// k, the mini-batches replayed with each incoming one.
    @RunOption(
      "replay-steps", "k, the mini-batches replayed with each incoming one.", value: "K", key: "replaySteps",
      in: .between(0, 10_000))
    public var steps: Int = 8

    /// How they are spread over the run.
    @RunOption(
      "replay-course",
      "How they are spread over the run: k with each (constant), or from none to 2k (rising).",
      before: .constant, deviation: { "k \($0.rawValue)" })
    public var course: ReplayCourse = .constant

    @RunOption(
      "priority",
      """
      What makes an example worth replaying: its loss; nothing, all alike (uniform); that its loss still changes (learnability); \
      all alike, but half as often where its loss is below the memory's mean (pruning). The last two need --priority-timing \
      refreshed.
      """)
    public var priority: PriorityKind = .loss

    /// The course of the priority's α.
    @RunOption(
      "alpha",
      "The course of the priority's α: to 1 (full) or by the paper's formula to the letter (literal).",
      key: "smoothing", applies: .smoothedPriorities, deviation: { "\($0.rawValue) α" })
    public var smoothing: SmoothingSchedule = .full

    @RunOption(
      "priority-timing", "Which loss and which α a priority comes from.", applies: .unequalPriorities,
      deviationOfRun: \.priorityTimingWords)
    public var priorityTiming: PriorityTiming = .insertion

    @RunOption(
      "importance-weights", "Weight replayed losses by 1/P, with mean 1 in each mini-batch.",
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
