import OnePassCore

extension OnePassError {
  private static func shown(_ value: String) -> String { value.isEmpty ? "an empty value" : value }

  // MARK: --shuffle-buffer

  static func isNoShuffleBufferSize(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "--shuffle-buffer must be a number of examples (10000) or of bytes (500MB) (got \(shown(text))).")
  }

  static func shuffleBufferIsOutOfRange(_ size: ShuffleBufferSize) -> OnePassError {
    OnePassError(
      .usage, "--shuffle-buffer must be 2 to 4294967296 examples, or at least 1 byte (got \(size)).")
  }

  // MARK: --decode-memory

  static func isNoDecodeBudget(_ text: String) -> OnePassError {
    OnePassError(
      .usage, "--decode-memory must be a number of bytes with its unit, at least 1MB (got \(shown(text))).")
  }

  // MARK: Image size

  static func imageSizeIsOutOfRange(_ size: Int) -> OnePassError {
    OnePassError(.usage, "The image size must be between 1 and 4096 pixels (got \(size)).")
  }

  // MARK: --augmentation

  static func unknownAugmentation(_ text: String, standard: String, known: [String]) -> OnePassError {
    OnePassError(
      .usage,
      "--augmentation must be \(standard), or one or more of \(known.joined(separator: ", ")), "
        + "separated by commas (got \(shown(text))).")
  }

  static func standardAmongAugmentations(_ text: String, standard: String) -> OnePassError {
    OnePassError(
      .usage, "--augmentation \(text): \(standard) is crop and flip only; omit it or use it alone.")
  }

  static func repeatedAugmentation(_ text: String) -> OnePassError {
    OnePassError(.usage, "--augmentation \(text): a name is repeated; use each once.")
  }

  static func exclusiveAugmentations(_ text: String, _ policies: [AugmentationPolicy]) -> OnePassError {
    let names = policies.map(\.rawValue).joined(separator: " and ")
    return OnePassError(.usage, "--augmentation \(text): \(names) exclude each other; use one of them.")
  }

  // MARK: --stream

  static func isNoStreamShape(_ text: String) -> OnePassError {
    OnePassError(.usage, "--stream must be \(StreamShape.forms) (got \(shown(text))).")
  }

  /// - Parameter range: What the shape needs.
  static func streamShapeOutOfRange(_ range: String, got shape: StreamShape) -> OnePassError {
    OnePassError(.usage, "--stream \(range) (got \(shape)).")
  }

  static func moreGroupsThanClasses(_ shape: StreamShape, classes: Int) -> OnePassError {
    OnePassError(
      .usage, "--stream \(shape) needs more classes than the data has, \(classes); pass fewer groups.")
  }

  package static func shapeNeedsRandomAccess(_ shape: StreamShape, of source: String) -> OnePassError {
    OnePassError(
      .usage,
      "--stream \(shape) needs data in any order, and \(source) is read in its own; pass a folder, or another kind "
        + "with random access.")
  }
}
