import OnePassCore
import OnePassData
import OnePassReplay

/// The numbers of steps, updates and classes of a run, and the capacity of its memory.
///
/// They follow from the configuration and the length of the stream.
///
/// ```swift
/// let result = try RunFiles.result(in: "runs/first")
/// print(result.plan.steps, result.plan.updates)
/// ```
public struct TrainingPlan: Codable, Hashable, Sendable {
  /// N, the number of examples in the stream.
  public let streamExamples: Int
  /// T_max, the number of incoming mini-batches.
  public let steps: Int
  /// The number of optimiser updates, over which the learning rate decays.
  public let updates: Int
  /// The number of classes; with open classes, of those found so far.
  public private(set) var classes: Int
  /// The class names in label order; `nil` if the classes have no names.
  public private(set) var classNames: [String]?
  /// The maximum number of open classes; `nil` if all classes are known ahead.
  public let classLimit: Int?
  /// The capacity of the replay memory in examples; `nil` without a memory, or if its budget is in bytes.
  public let capacityExamples: Int?
  /// The capacity of the replay memory in bytes; `nil` without a memory, or if its budget is in examples.
  public let capacityBytes: Int?

  /// N of a stream without an end: more than any run takes.
  static let endless = 1 << 40

  /// Whether the stream has no known end; a request or a time ends the run.
  public var isEndless: Bool { streamExamples == Self.endless }

  /// ``steps``; `nil` if the stream has no known end.
  package var knownSteps: Int? { isEndless ? nil : steps }

  init(
    _ configuration: RunConfiguration, streamExamples: Int, classes: Int, classNames: [String]?
  ) throws {
    self.streamExamples = streamExamples
    self.classes = classes
    self.classNames = classNames
    classLimit = configuration.data.openClasses?.limit
    let batchSize = configuration.recipe.batchSize
    steps = Self.steps(configuration, streamExamples: streamExamples, batchSize: batchSize)
    updates = Self.updates(configuration, streamExamples: streamExamples, batchSize: batchSize)
    let capacity = try Self.capacity(configuration, streamExamples: streamExamples)
    (capacityExamples, capacityBytes) = (capacity.examples, capacity.bytes)
  }

  /// The plan of a finished run and of further examples.
  ///
  /// The last mini-batch of the finished run may have been smaller than the others, so the steps are not those of a single run.
  init(extending state: RunState, _ configuration: RunConfiguration, by examples: Int) throws {
    streamExamples = state.examplesTaken + examples
    (classes, classNames, classLimit) = (state.plan.classes, state.plan.classNames, state.plan.classLimit)
    let more = Self.steps(
      configuration, streamExamples: examples, batchSize: configuration.recipe.batchSize)
    steps = state.loop.position.steps + more
    let replays = configuration.method == .replay && configuration.step.updates == .sequential
    updates = state.learner.updates + more * (replays ? 1 + configuration.replay.steps : 1)
    let capacity = try Self.capacity(configuration, streamExamples: streamExamples)
    (capacityExamples, capacityBytes) = (capacity.examples, capacity.bytes)
  }

  private static func capacity(
    _ configuration: RunConfiguration, streamExamples: Int
  ) throws -> (examples: Int?, bytes: Int?) {
    guard configuration.method == .replay else { return (nil, nil) }
    switch configuration.memory.storage {
    case .examples(let count):
      guard count <= streamExamples else {
        throw OnePassError.storageExceedsStream(count, streamExamples: streamExamples)
      }
      return (count, nil)
    case .fraction(let share):
      // The added 10^-4 compensates for rounding of binary fractions: 29 % of 100 is 29.
      let count = Int((share * Double(streamExamples) + 1e-4).rounded(.down))
      guard count > 0 else {
        throw OnePassError.storageHoldsNothing(
          "\(configuration.memory.storage)", streamExamples: streamExamples)
      }
      return (count, nil)
    case .bytes(let bytes): return (nil, bytes.bytes)
    }
  }

  private static func steps(_ run: RunConfiguration, streamExamples: Int, batchSize: Int) -> Int {
    (streamExamples + batchSize - 1) / batchSize * (run.method == .multiEpoch ? run.epochs : 1)
  }

  /// The number of updates of a run with another mini-batch size.
  static func updates(_ run: RunConfiguration, streamExamples: Int, batchSize: Int) -> Int {
    let steps = steps(run, streamExamples: streamExamples, batchSize: batchSize)
    guard run.method == .replay, run.step.updates == .sequential else { return steps }
    // The memory is empty at the first step.
    return steps + run.replay.steps * max(0, steps - 1)
  }

  /// The same plan with the classes found so far.
  func with(_ found: RunClasses) -> TrainingPlan {
    guard let names = found.names else { return self }
    var plan = self
    (plan.classes, plan.classNames) = (names.count, names)
    return plan
  }

  var capacity: ReplayMemory.Capacity? {
    if let capacityExamples { return .examples(capacityExamples) }
    return capacityBytes.map { .bytes($0) }
  }
}
