import OnePassCore
import OnePassData
import OnePassReplay

/// What a run comes to once its data is known: counted from the configuration and the stream's length.
public struct TrainingPlan: Codable, Hashable, Sendable {
  /// N, the number of examples in the stream.
  public let streamExamples: Int
  /// T_max, the number of incoming mini-batches.
  public let steps: Int
  /// The number of optimiser updates, over which the learning rate decays.
  public let updates: Int
  public let classes: Int
  public let classNames: [String]?
  /// The capacity of the replay memory, where there is one.
  public let capacityExamples: Int?
  public let capacityBytes: Int?

  init(
    _ configuration: RunConfiguration, streamExamples: Int, classes: Int, classNames: [String]?
  ) throws {
    self.streamExamples = streamExamples
    self.classes = classes
    self.classNames = classNames
    let stepsPerPass = (streamExamples + configuration.recipe.batchSize - 1) / configuration.recipe.batchSize
    steps = configuration.method == .multiEpoch ? configuration.epochs * stepsPerPass : stepsPerPass

    guard configuration.method == .replay else {
      updates = steps
      (capacityExamples, capacityBytes) = (nil, nil)
      return
    }
    // The memory is empty when the first step draws.
    let stepsWithReplay = max(0, steps - 1)
    switch configuration.step.updates {
    case .sequential: updates = steps + configuration.replay.steps * stepsWithReplay
    case .joint: updates = steps
    }
    switch configuration.memory.storage {
    case .examples(let count):
      guard count <= streamExamples else {
        throw OnePassError(
          .usage,
          "A storage of \(count) examples is more than the whole stream of \(streamExamples): "
            + "give at most 100%, or use --method multi-epoch.")
      }
      (capacityExamples, capacityBytes) = (count, nil)
    case .fraction(let share):
      // A ten-thousandth of an example makes good what binary fractions lose: 29 % of 100 is 29.
      let count = Int((share * Double(streamExamples) + 1e-4).rounded(.down))
      guard count > 0 else {
        throw OnePassError(
          .usage,
          "A storage of \(configuration.memory.storage) is less than one of the stream's \(streamExamples) examples: "
            + "give more, or use --method naive.")
      }
      (capacityExamples, capacityBytes) = (count, nil)
    case .bytes(let bytes):
      (capacityExamples, capacityBytes) = (nil, bytes.bytes)
    }
  }

  var capacity: ReplayMemory.Capacity? {
    if let capacityExamples { return .examples(capacityExamples) }
    return capacityBytes.map { .bytes($0) }
  }
}
