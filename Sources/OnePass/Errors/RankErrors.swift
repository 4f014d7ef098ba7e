import OnePassCore

// Runs of several processes that train together. `processes` is their number.
extension OnePassError {
  static func sourceOfOneProcess(_ source: String, processes: Int) -> OnePassError {
    OnePassError(.usage, "\(source) can be read by one process only (started: \(processes)); pass files.")
  }

  /// - Parameter rank: The rank that noticed it.
  static func ranksReadOtherData(_ rank: Int, example: Int) -> OnePassError {
    OnePassError(
      .badData,
      "Rank \(rank) has another image or label as example \(example) than the rank that trains on it; "
        + "give every rank the same files.")
  }

  static func memoryDirectoryOfSeveralProcesses(_ processes: Int) -> OnePassError {
    notWithSeveralProcesses(
      "--memory-directory", processes, remedy: "omit it, and each process keeps its share in RAM")
  }

  static func shuffleBufferOfSeveralProcesses(_ processes: Int) -> OnePassError {
    notWithSeveralProcesses(
      "--shuffle-buffer", processes, remedy: "omit it, and shuffle with `onepass pack`")
  }

  static func graphsOfSeveralProcesses(_ processes: Int) -> OnePassError {
    notWithSeveralProcesses("--cuda-graphs", processes, remedy: "omit it")
  }

  private static func notWithSeveralProcesses(
    _ option: String, _ processes: Int, remedy: String
  ) -> OnePassError {
    OnePassError(.usage, "\(option) requires a single process (started: \(processes)); \(remedy).")
  }

  static func batchSizeBelowProcesses(_ batchSize: Int, processes: Int) -> OnePassError {
    OnePassError(
      .usage,
      "--batch-size \(batchSize) is less than the number of processes, \(processes); "
        + "increase it, or start fewer processes.")
  }

  static func imageNotSent(byRank rank: Int, example: Int) -> OnePassError {
    OnePassError(.engine, "Rank \(rank) did not send the image of example \(example).")
  }
}
