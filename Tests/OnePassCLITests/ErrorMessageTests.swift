import OnePassCore
import Testing

@testable import OnePassCLI

@Suite("Error messages of the command line") struct ErrorMessageTests {
  typealias Case = (error: OnePassError, code: OnePassError.Code, message: String)

  /// An error that another one wraps.
  struct Cause: Error {}

  static let training: [Case] = [
    (
      .missingData(), .usage,
      "--data is missing; pass --data SPEC, for example --data folder:photos/train, or set data in the file of --config."
    ),
    (
      .unreadableClassNames("classes.txt"), .io,
      "--classes classes.txt: the file cannot be read; pass a number or a text file with one class name per line."
    ),
    (
      .invalidClassNames(in: "classes.txt"), .badData,
      "--classes classes.txt: at least two different class names are required, one per line and each only once."
    ),
    (
      .invalidClassNames(in: nil), .badData,
      "--classes: at least two different class names are required, one per line and each only once."
    ),
    (
      .repeatedClassName("cat", lines: (2, 5), in: "classes.txt"), .badData,
      "--classes classes.txt: class name cat is repeated (lines 2 and 5); remove one of the two lines."
    ),
    (
      .repeatedClassName("cat", lines: (1, 3), in: nil), .badData,
      "--classes: class name cat is repeated (lines 1 and 3); remove one of the two lines."
    ),
    (
      .checkpointsWithoutOutput(), .usage,
      "--checkpoint-every has no effect with --output none; omit it, or pass a folder."
    ),
    (.resumingWithoutOutput(), .usage, "--resume requires --output."),
    (
      .impossibleWaitForRanks("soon"), .usage,
      "--wait-for-ranks must be a time of at most 24h, such as 90s, 10m or 2h (got soon)."
    ),
    (
      .noDefaultOutput("runs/2026-11-30-photos-replay", cause: CancellationError()), .io,
      "runs/2026-11-30-photos-replay: the folder cannot be made; pass --output with another folder, or --output none."
    ),
    (
      .truncatedAddress("wds:https://example.org/a.tar?…", option: "data"), .usage,
      "--data wds:https://example.org/a.tar?…: the query is missing, since it is never saved and may be a signature; "
        + "pass the whole address with --data."
    ),
    (
      .forecastOfSeveralProcesses(2), .usage,
      "--dry-run forecasts one process, and 2 were started; run it without the launcher."
    ),
    (.notAnOptionOfARun(cause: Cause()), .usage, "This is not an option of a run."),
    (
      .unparsableOptions("Unknown option '--modle'.", cause: Cause()), .usage, "Unknown option '--modle'."
    ),
    (.unparsableOptions(nil, cause: Cause()), .usage, "The options cannot be parsed."),
    (
      .onRank(1, OnePassError(.io, "shards/train-0007.tar: cannot be read.")), .io,
      "Rank 1: shards/train-0007.tar: cannot be read."
    ),
  ]

  static let experiments: [Case] = [
    (
      .missingGrid(), .usage,
      "The grid is missing; pass a YAML file or a preset, for example --preset opin-table1."
    ),
    (
      .invalidMemoryBytes("10%"), .usage,
      "--memory-bytes must be a number of bytes with a unit, for example 500MB (got 10%)."
    ),
    (
      .memoryBytesWithoutPreset(), .usage,
      "--memory-bytes is an option of the presets opin-ablations and imagenet; set storage in the grid instead."
    ),
    (
      .unknownExecutable(), .engine,
      "The path of this program is unknown, so the cells cannot be started."
    ),
    (
      .failedCells(1, of: 4), .engine,
      "1 of 4 cells failed (see above); fix the cause and run the same command again."
    ),
    (.severalTablesInCSV(), .usage, "--format csv requires exactly one --layout."),
    (
      .noRuns(for: ["table1", "claims"]), .badData,
      "No finished run belongs in table1 or claims; list all runs with --layout variants."
    ),
    (.errorsWithoutOutput(), .usage, "--errors requires --output."),
    (
      .imagesNotPredicted(3, of: 120), .badData,
      "3 of 120 images could not be predicted (see above); replace or remove the images."
    ),
    (
      .imagesNotPredicted(1, of: 1), .badData,
      "1 of 1 image could not be predicted (see above); replace or remove the images."
    ),
    (
      .unwritableResult(cause: Cause()), .io,
      "Standard output cannot be written; free disk space or redirect it elsewhere."
    ),
  ]

  @Test("Each error has its text and its code", arguments: training + experiments)
  func message(error: OnePassError, code: OnePassError.Code, message: String) {
    #expect(error.message == message)
    #expect(error.code == code)
  }
}
