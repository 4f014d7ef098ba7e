import OnePassCore

// Errors about runs on streams of brokers.
extension OnePassError {
  static func liveStreamOfSeveralPasses() -> OnePassError {
    OnePassError(
      .usage,
      "--method multi-epoch needs the whole data, and a broker's stream passes once; use another method.")
  }

  static func liveStreamWithoutClasses(_ source: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(source): the classes of a broker's stream cannot be counted; pass --classes, a number or a file.")
  }

  static func liveStreamOfSeveralProcesses(_ source: String, processes: Int) -> OnePassError {
    OnePassError(.usage, "\(source): a broker's stream is read by one process (got \(processes)); start one.")
  }

  static func liveStreamContinues(_ source: String, option: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(source): a broker's stream resumes at the place of the checkpoint; omit \(option), and use --resume."
    )
  }

  static func scheduleNeedsLength(_ schedule: String) -> OnePassError {
    OnePassError(
      .usage,
      "--schedule \(schedule) needs the length of the stream; pass --limit, or --schedule constant or on-demand."
    )
  }

  static func storageNeedsLength(_ storage: String) -> OnePassError {
    OnePassError(
      .usage,
      "--storage \(storage) is a share of the stream, whose length is unknown; pass --limit, or a number of examples "
        + "or bytes.")
  }

  static func brokerConfigLine(_ file: String, _ line: Int) -> OnePassError {
    OnePassError(.usage, "\(file): line \(line) is not NAME = VALUE; correct it.")
  }
}
