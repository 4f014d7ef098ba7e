import OnePassCore

// The replay memory of a run and its table, and training that cannot continue.
extension OnePassError {
  static func trainingDiverged(step: Int, learningRate: Double) -> OnePassError {
    OnePassError(
      .engine,
      "Training diverged: a loss of step \(step) is not finite; lower --learning-rate (got \(learningRate)).")
  }

  /// - Parameters:
  ///   - function: The name of the priority function.
  ///   - progress: The position in the run, 0 … 1.
  static func invalidPriority(
    _ value: Double, from function: String, loss: Float, progress: Double
  ) -> OnePassError {
    OnePassError(
      .usage,
      "The priority function \(function) returned \(value) for the loss \(loss) at progress \(progress); "
        + "priorities must be finite and at least 0.")
  }

  /// - Parameters:
  ///   - smallest: The size of the smallest of the first `count` images, with its index entry, in bytes.
  ///   - emptyFiles: The size of the memory's files without images, in bytes.
  static func storageBelowOneImage(
    _ storage: String, smallest: Int, of count: Int, emptyFiles: Int
  ) -> OnePassError {
    let files = emptyFiles > 0 ? ", and the empty files take \(emptyFiles) bytes" : ""
    return OnePassError(
      .usage,
      "--storage \(storage) is too small for any of the first \(count) images: the smallest takes "
        + "\(smallest) bytes with its index entry\(files); pass a larger value, or use --method naive.")
  }

  // MARK: Contents

  /// - Parameter reason: The message of the decoder.
  static func storedImageUndecodable(example: Int, reason: String) -> OnePassError {
    OnePassError(
      .engine,
      "Example \(example) was decoded on arrival, and cannot be decoded from the replay memory. \(reason)")
  }

  static var invalidStoredPrediction: OnePassError {
    OnePassError(.badData, "The replay memory is damaged: a stored prediction is not a distribution.")
  }

  static func tooManyClassesToStorePredictions(
    _ classes: Int, of source: String, limit: Int
  ) -> OnePassError {
    OnePassError(
      .usage,
      "--stored-predictions supports at most \(limit) classes, and \(source) has \(classes); omit it.")
  }

  // MARK: The table

  static func damagedMemoryTable(_ path: String, expectedHeader header: String) -> OnePassError {
    OnePassError(.badData, "\(path) is damaged: its first line is not `\(header)`.")
  }

  static func damagedMemoryTable(_ path: String, line: Int, text: String) -> OnePassError {
    OnePassError(.badData, "\(path) is damaged: line \(line) is not an item (`\(text)`).")
  }

  /// - Parameter title: The title of the run, as `naive one-pass`.
  static func runWithoutMemory(_ path: String, title: String) -> OnePassError {
    OnePassError(
      .usage, "\(path) had no replay memory (\(title)); pass a run with --method replay.")
  }

  /// The run ended and removed its checkpoints between two reads.
  static func checkpointsRemoved(from path: String) -> OnePassError {
    OnePassError(.io, "\(path) no longer contains a checkpoint; try again when the run has ended.")
  }
}
