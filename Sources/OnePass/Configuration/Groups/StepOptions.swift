import OnePassCore

extension RunConfiguration {
  /// How the incoming and the replayed mini-batches of a step are trained together.
  public struct StepOptions: RunOptionGroup {
    static let applies = OptionCondition.replay

    @RunOption(
      "updates", "Train the k + 1 mini-batches of a step one after the other, or as one update.",
      deviation: { _ in "joint updates" })
    public var updates: UpdateMode = .sequential

    @RunOption(
      "incoming-view", "How incoming images are cropped under replay.",
      deviation: { _ in "incoming centred" })
    public var incomingView: IncomingView = .augmented

    @RunOption(
      "incoming-form",
      "Train incoming images as they arrived, or in the size and quality of the memory's (stored), so that both look alike.",
      before: .arrived, applies: .resizedImages, deviation: { _ in "incoming alike" })
    public var incomingForm: IncomingForm = .arrived
  }
}
