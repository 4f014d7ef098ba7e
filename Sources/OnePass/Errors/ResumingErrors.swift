import OnePassCore

// Runs that cannot be resumed, and checkpoints that cannot be used.
extension OnePassError {
  // MARK: Requests that contradict the run

  /// - Parameter difference: As `replay-steps 1, not 2`.
  static func runHasOtherOptions(_ path: String, difference: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path) was started with other options (\(difference)); pass the same options, or choose another folder."
    )
  }

  static func continuingSeveralPasses() -> OnePassError {
    OnePassError(
      .usage,
      "--continue has no effect with --method multi-epoch, which needs the same data in every pass; omit it.")
  }

  static func extendingSeveralPasses() -> OnePassError {
    OnePassError(
      .usage,
      "--extend has no effect with --method multi-epoch, which needs the same data in every pass; omit it.")
  }

  static func extendingUnfinishedRun(_ path: String) -> OnePassError {
    OnePassError(
      .usage, "\(path) is unfinished and cannot be extended; continue it with --output \(path) --resume.")
  }

  static func noStateToExtend(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path) has no state to extend; only a run that was trained with --keep-state has one. "
        + "To start from its weights alone, pass --initialise.")
  }

  static func memoryDirectoryInOutput(_ path: String, output: String) -> OnePassError {
    OnePassError(
      .usage,
      "--memory-directory \(path) is a folder that the run itself writes in \(output); choose one beside it.")
  }

  /// - Parameter folder: The folder whose copies would contain the key.
  static func memoryKeyInOutput(_ path: String, folder: String) -> OnePassError {
    OnePassError(
      .usage,
      "--memory-key \(path) is in \(folder), whose copies would then contain the key; choose a file elsewhere."
    )
  }

  static func keyOfBufferDestroyed(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path) cannot be resumed, because its shuffle buffer has an image whose key was destroyed; start a new run."
    )
  }

  static var memoryKeyRequired: OnePassError {
    OnePassError(.usage, "--memory-key is required, because the run encrypts its memory.")
  }

  static var memoryNotEncrypted: OnePassError {
    OnePassError(
      .usage, "--memory-key is not possible, because the run was started without it; omit it.")
  }

  static var memoryKeyWithPictures: OnePassError {
    OnePassError(
      .usage,
      "--memory-key and --log tensorboard:pictures exclude each other, because event files are not encrypted; "
        + "omit one of them.")
  }

  static var memoryDirectoryRequired: OnePassError {
    OnePassError(.usage, "--memory-directory is required, because the run keeps its memory on disk.")
  }

  static var memoryIsInRAM: OnePassError {
    OnePassError(
      .usage, "--memory-directory is not possible, because the run keeps its memory in RAM; omit it.")
  }

  static func runInUse(_ path: String) -> OnePassError {
    OnePassError(
      .usage, "\(path) is in use by another process; wait for it to end, or choose another folder.")
  }

  static func forgettingInterrupted(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(path) contains an interrupted request to forget; run `onepass memory forget` again before resuming.")
  }

  static func checkpointOfOtherVersion(
    _ path: String, written writer: String, running version: String
  ) -> OnePassError {
    OnePassError(
      .usage,
      "\(path) was written by onepass \(writer), and version \(version) cannot resume it; "
        + "finish the run with the older version, or start it again in another folder.")
  }

  // MARK: Files

  static func noCheckpointToResume(in path: String) -> OnePassError {
    OnePassError(.io, "\(path) contains no checkpoint; omit --resume to start a new run.")
  }

  static func runFolderVanished(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path) has vanished; restore it, and continue with --resume.")
  }

  static func leftoversNotRemoved(_ path: String) -> OnePassError {
    OnePassError(.io, "\(path) was left by a finished run and cannot be removed; remove it by hand.")
  }

  /// - Parameter successor: The folder that takes the place of the old one.
  static func checkpointNotRemoved(_ path: String, successor: String) -> OnePassError {
    OnePassError(.io, "\(path) cannot be removed; remove it by hand, since \(successor) replaces it.")
  }

  static func imageMissing(in path: String, example: Int) -> OnePassError {
    OnePassError(.badData, "\(path) lacks the image of example \(example); restore it from a backup.")
  }

  static func checkpointFileMissing(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.badData, "\(path) is missing or cannot be read: the checkpoint is damaged.", cause: cause)
  }

  // MARK: Remedies that are added to another error

  /// A checkpoint is damaged, and an earlier one is intact.
  static func resumableFrom(_ checkpoint: String, removing damaged: [String], after error: OnePassError)
    -> OnePassError
  {
    OnePassError(
      .badData,
      "\(error.message) To resume from \(checkpoint), remove \(damaged.joined(separator: " and ")).",
      cause: error)
  }

  /// A checkpoint is damaged, and no other is intact.
  static func notResumable(_ folder: String, after error: OnePassError) -> OnePassError {
    OnePassError(
      .badData,
      "\(error.message) No other checkpoint is usable; restore it from a backup. "
        + "To start over, remove \(folder) and the memory directory, if there is one.",
      cause: error)
  }

  /// A run ended because of `error`, and was saved before it did.
  static func savedAfter(_ error: OnePassError) -> OnePassError {
    OnePassError(
      error.code, "\(error.message) The run is saved; fix the problem, and continue with --resume.",
      cause: error)
  }
}
