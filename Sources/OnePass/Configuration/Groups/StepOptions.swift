import OnePassCore

extension RunConfiguration {
  /// How the incoming and replayed mini-batches of a step are trained.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "fashion-mnist")
  /// configuration.step.updates = .joint
  /// ```
  public struct StepOptions: RunOptionGroup {
    static let applies = OptionCondition.replay

    /// Whether the mini-batches of a step make separate updates.
    @RunOption(
      "updates",
      "Updates per step: one for each of the k + 1 mini-batches (sequential), or one for all (joint).",
      applies: .draws,
      deviation: { _ in "joint updates" })
    public var updates: UpdateMode = .sequential

    /// The crop of incoming images.
    @RunOption(
      "incoming-view",
      "Crop of incoming images under replay: random crop and flip (augmented), or centre crop (centre).",
      deviation: { _ in "incoming centre crops" })
    public var incomingView: IncomingView = .augmented

    /// The encoding of incoming images.
    @RunOption(
      "incoming-form",
      "Encoding of incoming images in training: as they arrive (arrived), or as the memory stores them (stored).",
      before: .arrived, applies: .resizedImages, deviation: { _ in "incoming as stored" })
    public var incomingForm: IncomingForm = .arrived
  }
}
