import OnePassCore

// Requests to forget that cannot be carried out. `run` is the folder of the run. All are usage errors.
extension OnePassError {
  static var nothingToForget: OnePassError {
    OnePassError(.usage, "`memory forget` requires --subject, --class, --before or --position.")
  }

  static func forgettingWithShuffleBuffer(_ run: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(run) is not finished, and its shuffle buffer holds examples that cannot be searched; "
        + "finish it with --resume, or remove it.")
  }

  static func forgettingWithCustomOrder(_ run: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(run) is not finished, and its custom selector keeps an order of the memory that only its program can change; "
        + "finish the run there with --resume, or remove it.")
  }

  /// - Parameter taken: The number of examples that the run has taken.
  static func positionNotTaken(_ position: Int, run: String, taken: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--position \(position) is not among the \(taken) examples of \(run); pass a position below \(taken).")
  }

  static func subjectsNotRecorded(_ run: String) -> OnePassError {
    OnePassError(
      .usage,
      "--subject requires a run with --subject-key (\(run) was trained without it); use --class, --before or --position."
    )
  }

  static func arrivalTimesNotRecorded(_ run: String) -> OnePassError {
    OnePassError(.usage, "--before must be a position for \(run), which has no arrival times.")
  }

  static func unknownClass(_ name: String, run: String) -> OnePassError {
    OnePassError(.usage, "--class \(name) is not a class of \(run); pass a class name or a label.")
  }
}
