import OnePassCore

// Files and folders that cannot be used, whatever they contain.
extension OnePassError {
  package static func unreadableFile(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io,
      "\(path) cannot be read; "
        + "\(limitRemedy(cause, path) ?? "check its permissions, or restore it from a backup").", cause: cause
    )
  }

  /// The remedy for a limit of the system; `nil` for any other cause.
  private static func limitRemedy(_ cause: (any Error)?, _ path: String) -> String? {
    let path = path.hasPrefix("--output ") ? String(path.dropFirst(9)) : path
    return cause.flatMap(SystemProblem.number).flatMap {
      SystemProblem.remedy($0, folder: SystemProblem.folder(of: path))
    }
  }

  /// - Parameter reason: That of the operating system, where it is known.
  package static func unwritableFile(
    _ path: String, reason: String? = nil, cause: (any Error)? = nil
  ) -> OnePassError {
    let remedy = limitRemedy(cause, path) ?? "check permissions and free disk space"
    let reason = reason.map { " (\($0))" } ?? ""
    return OnePassError(.io, "\(path) cannot be written\(reason); \(remedy).", cause: cause)
  }

  static func folderNotCreated(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io,
      "\(path) cannot be created; \(limitRemedy(cause, path) ?? "check permissions and free disk space").",
      cause: cause)
  }

  /// The content contradicts its checksum or its format. There is no remedy here, since callers add different ones.
  static func damagedFile(_ path: String, cause: (any Error)? = nil) -> OnePassError {
    OnePassError(
      .badData, "\(path) is damaged: its content does not match its checksum or format.", cause: cause)
  }

  // MARK: The output folder

  static func outputIsFile(_ path: String) -> OnePassError {
    OnePassError(.usage, "--output \(path) is a file; pass a folder.")
  }

  static func outputHasUnfinishedRun(_ path: String) -> OnePassError {
    OnePassError(
      .usage,
      "--output \(path) contains an unfinished run; pass --resume to continue it, or choose another folder.")
  }

  static func outputHasRun(_ path: String) -> OnePassError {
    OnePassError(.usage, "--output \(path) already contains a run; choose another folder, or remove it.")
  }

  static func outputNotEmpty(_ path: String) -> OnePassError {
    OnePassError(.usage, "--output \(path) is not empty; choose another folder, or remove it.")
  }

  /// - Parameters:
  ///   - option: `--output` or `--memory-directory`.
  ///   - ancestor: The nearest parent that exists.
  static func parentNotWritable(_ option: String, _ path: String, ancestor: String) -> OnePassError {
    OnePassError(
      .io,
      "\(option) \(path) cannot be created, because \(ancestor) is not a writable folder; choose another folder."
    )
  }

  static func outputNotRenamed(_ path: String, reason: String, staging: String) -> OnePassError {
    OnePassError(.io, "--output \(path) cannot be created (\(reason)); the complete run is in \(staging).")
  }

  static func outputNotWritten(_ path: String, reason: String?, cause: any Error) -> OnePassError {
    .unwritableFile("--output \(path)", reason: reason, cause: cause)
  }

  // MARK: Finished runs

  static func noRun(in path: String) -> OnePassError {
    OnePassError(.io, "\(path) contains no run; pass a folder that `onepass train --output` created.")
  }

  static func noCheckpoint(in path: String, exists: Bool) -> OnePassError {
    OnePassError(
      .io,
      "\(path) \(exists ? "contains no checkpoint" : "does not exist"); "
        + "pass a folder that `onepass train --output` created.")
  }

  static func noResult(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(path) cannot be read; pass a folder that `onepass train --output` created.", cause: cause)
  }

  static func incompleteCheckpoint(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .io, "\(path) cannot be read: the checkpoint is incomplete; restore it from a backup or train again.",
      cause: cause)
  }

  static func noMemoryTable(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path) cannot be read: the run had no replay memory.", cause: cause)
  }
}
