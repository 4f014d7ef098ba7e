import OnePassCore

// Options that are impossible, by themselves or in combination. All are usage errors.
extension OnePassError {
  /// - Parameters:
  ///   - examples: The capacity of the memory.
  ///   - bytes: The size of its index.
  static func indexExceedsMemory(examples: Int, bytes: Int, available: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--storage \(examples): the index of so many examples takes \(ByteCount(bytes)), but the machine has "
        + "\(ByteCount(available)) of memory; reduce --storage.")
  }

  /// - Parameters:
  ///   - batches: The number of mini-batches that are decoded at the same time.
  ///   - bytes: The size of each.
  static func stepExceedsMemory(batches: Int, of bytes: Int, available: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--batch-size: the \(batches) mini-batches of a step take \(ByteCount(bytes)) each, but the machine has "
        + "\(ByteCount(available)) of memory; reduce --batch-size, --replay-steps or --image-size.")
  }

  static func valueOutOfRange(_ option: String, mustBe demand: String, got value: String) -> OnePassError {
    OnePassError(.usage, "\(option) must be \(demand) (got \(value.isEmpty ? "an empty value" : value)).")
  }

  static func optionRequires(_ option: String, _ required: String) -> OnePassError {
    OnePassError(.usage, "\(option) requires \(required).")
  }

  /// An option that was given although it has no effect: the one rule for all of them.
  static func optionWithoutEffect(_ option: String, _ obstacle: OptionCondition.Obstacle) -> OnePassError {
    OnePassError(
      .usage, "\(option) has no effect \(obstacle.reason); omit it, or \(obstacle.remedy).")
  }

  /// - Parameters:
  ///   - option: The name without dashes.
  ///   - record: How records name the part, as `own:mine`.
  static func customPartMissing(option: String, record: String) -> OnePassError {
    OnePassError(
      .usage,
      "--\(option) \(record) is a custom part of another program; start the run from that program, or use a built-in value."
    )
  }

  // MARK: Replay

  static func priorityNeedsRefreshing(_ priority: String) -> OnePassError {
    OnePassError(
      .usage,
      "--priority \(priority) depends on losses measured at replay; pass --priority-timing refreshed.")
  }

  static func drawingHasNoProbability(_ drawing: String) -> OnePassError {
    OnePassError(
      .usage,
      "--drawing \(drawing) selects in a fixed order at least part of the time, so importance weights are undefined; "
        + "pass --no-importance-weights, or use only random selectors.")
  }

  static func weightsUndoBalancedDraws(_ drawing: String) -> OnePassError {
    OnePassError(
      .usage,
      "--drawing \(drawing) balances the classes, and importance weights would undo that; pass --no-importance-weights."
    )
  }

  static func drawingOfEvictions(_ drawing: String) -> OnePassError {
    OnePassError(
      .usage, "--drawing \(drawing) can only select items for eviction; pass --evicting \(drawing).")
  }

  static func storageExceedsStream(_ count: Int, streamExamples: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--storage \(count) exceeds the \(streamExamples) examples of the stream; "
        + "pass at most 100%, or use --method multi-epoch.")
  }

  static func storageHoldsNothing(_ storage: String, streamExamples: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--storage \(storage) is less than one of the \(streamExamples) examples of the stream; "
        + "pass a larger value, or use --method naive.")
  }

  static func memorySizeExceedsCropSource(_ size: Int, cropSource: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--memory-size \(size) exceeds the \(cropSource) x \(cropSource) pixels that crops are taken from; "
        + "pass at most \(cropSource), or omit it.")
  }

  // MARK: Recipe

  static func rampsExceedRun(warmUp: Double, coolDown: Double) -> OnePassError {
    OnePassError(
      .usage, "--warm-up \(warmUp) and --cool-down \(coolDown) add up to more than 1; reduce one of them.")
  }

  static func refreshedPrioritiesOfMixedImages(_ mixing: String) -> OnePassError {
    OnePassError(
      .usage,
      "--priority-timing refreshed cannot be combined with --mixing \(mixing), which mixes the replayed images; "
        + "omit one of them.")
  }

  static var onDemandWithSeveralPasses: OnePassError {
    OnePassError(
      .usage,
      "--schedule on-demand cannot be combined with --method multi-epoch; use --schedule trapezoid.")
  }

  // MARK: Evaluation

  static func evaluationReadOnce(_ source: String) -> OnePassError {
    OnePassError(
      .usage,
      "--eval-every reads the evaluation data repeatedly, and \(source) can be read only once; "
        + "pass --eval-data with files, or omit --eval-every.")
  }

  // MARK: Machine

  static var graphsOfJointUpdates: OnePassError {
    OnePassError(
      .usage,
      "--cuda-graphs captures the update on one mini-batch, and --updates joint uses several at once; omit one of them."
    )
  }

  static func precisionUnsupported(_ precision: String) -> OnePassError {
    OnePassError(
      .usage,
      "--precision \(precision) is not supported by the processor of this machine; omit it, or use a GPU.")
  }

  // MARK: --drift

  static func isNoDriftMethod(_ text: String) -> OnePassError {
    OnePassError(.usage, "--drift must be \(DriftMethod.forms) (got \(text)).")
  }

  static func driftOutOfRange(_ method: DriftMethod, _ range: String) -> OnePassError {
    OnePassError(.usage, "The parameter of --drift \(method.name) must be \(range) (got \(method)).")
  }

  // MARK: --classes

  static func isNoOpenClasses(_ text: String) -> OnePassError {
    OnePassError(.usage, "--classes must be a number, a file, open or open:LIMIT (got \(text)).")
  }

  static let openClassesOutOfRange = OnePassError(
    .usage, "The limit of --classes open:LIMIT must be 1 to 1000000.")

  static let openClassesWithGraphs = OnePassError(
    .usage,
    "--classes open cannot be combined with --cuda-graphs, which record a model of a fixed size; omit one of them."
  )

  static func modelCannotGrow(_ name: String) -> OnePassError {
    OnePassError(
      .usage,
      "--classes open needs a model whose last layer is known (ImageClassifier.head), which \(name) does not name; "
        + "pass the number of classes, or another model.")
  }
}
