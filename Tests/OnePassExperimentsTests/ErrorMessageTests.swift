import Foundation
import OnePassCore
import Testing

@testable import OnePassExperiments

@Suite("Error messages of grids, records and reports") struct ErrorMessageTests {
  typealias Case = (error: OnePassError, code: OnePassError.Code, message: String)

  /// An error that another one wraps.
  struct Cause: LocalizedError {
    var errorDescription: String? { "No such file or directory" }
  }

  static let place = Place("grid.yaml", line: 7)

  static let options: [Case] = [
    (
      .unreadableConfiguration("run.yaml", cause: Cause()), .io,
      "run.yaml: cannot be read as UTF-8 text; pass a YAML file with --config."
    ),
    (
      .emptyConfiguration(at: Place("run.yaml")), .usage,
      "run.yaml: the configuration is empty; add options of `onepass train` as `name: value`."
    ),
    (
      .invalidAssignment(at: Place("--set weight-decay")), .usage,
      "--set weight-decay: not an assignment; write OPTION=VALUE, for example weight-decay=5e-4."
    ),
    (
      .reservedOption("seed", ReservedOptions.inGrid["seed"] ?? "", at: place), .usage,
      "grid.yaml:7: seed cannot be set here; use seeds in the grid, or --seeds."
    ),
    (
      .reservedOption("dry-run", ReservedOptions.inConfiguration["dry-run"] ?? "", at: place), .usage,
      "grid.yaml:7: dry-run cannot be set here; pass --dry-run on the command line."
    ),
    (
      .invalidOptionName("--model", at: place), .usage,
      "grid.yaml:7: \"--model\" is not an option name; write it without dashes."
    ),
    (
      .ambiguousSwitch("importance-weights", "no", at: place), .usage,
      "grid.yaml:7: importance-weights does not accept no; write true or false."
    ),
    (
      .nullValue(of: "limit", at: place), .usage,
      "grid.yaml:7: limit has no value; write one or remove the option."
    ),
    (
      .notAFlag("output", at: place, cause: nil), .usage,
      "grid.yaml:7: output is not a flag (got false); write a value or remove the option."
    ),
    (
      .rejectedOption(at: place, OnePassError(.io, "Unknown option '--modle'.")), .io,
      "grid.yaml:7: Unknown option 'modle'."
    ),
    (
      .at(place, OnePassError(.badData, "--epochs must be at least 1 (got 0).")), .badData,
      "grid.yaml:7: --epochs must be at least 1 (got 0)."
    ),
  ]

  static let yaml: [Case] = [
    (
      .invalidYAML("did not find expected node content", at: place), .usage,
      "grid.yaml:7: invalid YAML: did not find expected node content."
    ),
    (
      .complexKeys(at: Place("grid.yaml")), .usage,
      "grid.yaml: keys that are lists or mappings are not supported; write each key as plain text."
    ),
    (
      .duplicateKeys(["data", "model"], at: place), .usage,
      "grid.yaml:7: data, model is set twice in the mapping that starts on this line; keep one."
    ),
    (
      .mergeKey(at: place), .usage,
      "grid.yaml:7: merge keys (<<) are not supported; write the options out."
    ),
    (
      .notAMapping(of: "options, seeds and cells", at: place), .usage,
      "grid.yaml:7: expected options, seeds and cells as `name: value`."
    ),
    (.notAScalar("method", at: place), .usage, "grid.yaml:7: method must have a single plain value."),
  ]

  static let grids: [Case] = [
    (
      .unreadableGrid("grid.yaml", cause: Cause()), .io,
      "grid.yaml: cannot be read as UTF-8 text; pass a YAML file, or a preset with --preset."
    ),
    (
      .emptyGrid(at: Place("grid.yaml")), .usage,
      "grid.yaml: the grid is empty; add options, seeds and cells."
    ),
    (
      .unknownGridKey("optoins", at: place), .usage,
      "grid.yaml:7: \"optoins\" is not a key of a grid; use options, seeds and cells."
    ),
    (
      .noCells(at: Place("grid.yaml")), .usage,
      "grid.yaml: the grid has no cells; add a list `cells` with at least one group of options."
    ),
    (
      .cellsAreNotAList(at: place), .usage,
      "grid.yaml:7: cells must be a list; start each group of options with a dash."
    ),
    (.noValues(of: "seeds", at: place), .usage, "grid.yaml:7: seeds has no values; list at least one."),
    (
      .noData(at: Place("preset opin-table1")), .usage,
      "preset opin-table1: data is missing; pass --data SPEC or set data under options."
    ),
    (.invalidSeed("x", at: place), .usage, "grid.yaml:7: x is not a seed; use integers from 0."),
    (.duplicateSeed(3, at: place), .usage, "grid.yaml:7: seed 3 is listed twice; list each seed once."),
    (
      .invalidSeedList("10001", at: Place("--seeds")), .usage,
      "--seeds: seeds must be a number from 1 to 10,000 or a list such as 1,2,7 (got 10001)."
    ),
    (
      .invalidSeedList("", at: Place("--seeds")), .usage,
      "--seeds: seeds must be a number from 1 to 10,000 or a list such as 1,2,7 (got nothing)."
    ),
    (
      .tooManyCells(5_001, limit: 5_000), .usage,
      "The grid has 5,001 cells, more than 5,000; split the grid."
    ),
    (
      .tooManyCellsInGroup(100_000_000, limit: 5_000, at: place), .usage,
      "grid.yaml:7: the options of this group make 100,000,000 cells, more than 5,000; split the group."
    ),
    (
      .duplicateCell("naive-seed1", first: Place("grid.yaml", line: 3), at: place), .usage,
      "grid.yaml:7: the cell naive-seed1 is already defined at grid.yaml:3; remove one of the two."
    ),
    (
      .conflictingCell(
        "naive-seed1", option: "model", here: "resnet20", there: "resnet8",
        first: Place("other.yaml", line: 3),
        at: place), .usage,
      "grid.yaml:7: the cell naive-seed1 is a different run at other.yaml:3 (model resnet8 there, resnet20 here); "
        + "run the two grids into separate folders."
    ),
    (
      .optionInGroupAndOnCommandLine("storage", at: place), .usage,
      "grid.yaml:7: storage is set in this group of cells and on the command line; keep one."
    ),
    (
      .optionInGroupAndForAllCells("method", common: Place("grid.yaml", line: 2), at: place), .usage,
      "grid.yaml:7: method is also set for all cells (grid.yaml:2); keep one."
    ),
    (
      .gridFromStandardInput(at: place), .usage,
      "grid.yaml:7: a grid reads its stream once per cell, and standard input can be read only once; "
        + "use files, such as shards written by `onepass pack`."
    ),
  ]

  static let records: [Case] = [
    (
      .noRecords(in: ["runs/a", "runs/b"], unreadable: 0, firstReason: nil), .io,
      "runs/a, runs/b: no finished runs found; pass a folder written by `onepass experiment run --output`."
    ),
    (
      .noRecords(in: ["runs"], unreadable: 2, firstReason: "runs/a/curve.csv: line 2 is damaged."), .io,
      "runs: no finished runs found; pass a folder written by `onepass experiment run --output`. "
        + "Unreadable records: 2; the first: runs/a/curve.csv: line 2 is damaged."
    ),
    (
      .unreadableRecordFolder("runs"), .io,
      "runs: the folder cannot be read; pass a folder written by `onepass experiment run --output`."
    ),
    (.duplicateRecord(of: "runs/a"), .badData, "same options and seed as runs/a."),
    (
      .impossibleFigure("accuracy.top1", "7.0", in: "runs/a"), .badData,
      "runs/a/result.json: accuracy.top1 cannot be 7.0; the record is damaged."
    ),
    (.unreadableCurve("runs/a/curve.csv", cause: Cause()), .io, "runs/a/curve.csv: cannot be read."),
    (.damagedCurve("runs/a/curve.csv", line: 2), .badData, "runs/a/curve.csv: line 2 is damaged."),
  ]

  static let output: [Case] = [
    (
      .cannotCreateFolder("runs", from: "--output", cause: Cause()), .io,
      "runs: the folder cannot be created; choose another --output."
    ),
    (
      .cannotWriteFolder("runs", error: EACCES), .io,
      "runs: the folder cannot be written (Permission denied); choose another --output."
    ),
    (
      .folderInUse("runs"), .usage,
      "runs: in use by another `onepass experiment run`; wait for it or choose another --output."
    ),
    (
      .cannotWriteCommands("runs/commands.sh", cause: Cause()), .io,
      "runs/commands.sh: cannot be written; free disk space or choose another --output."
    ),
    (
      .cannotWritePage("report.html", cause: Cause()), .io,
      "report.html: cannot be written; choose another path."
    ),
    (
      .pageInTheWay("notes.html", of: "runs/first"), .usage,
      "notes.html: exists and is not a page of runs/first; choose another file with --html or remove it."
    ),
    (
      .cannotStartCell("/usr/bin/onepass", cause: Cause()), .io,
      "/usr/bin/onepass: cannot be started (No such file or directory)."
    ),
  ]

  @Test(
    "Each error has its text and its code",
    arguments: [options, yaml, grids, records, output].flatMap(\.self))
  func message(error: OnePassError, code: OnePassError.Code, message: String) {
    #expect(error.message == message)
    #expect(error.code == code)
  }

  @Test(
    "A cell without a usable record says why",
    arguments: [
      (
        CellFailure.noResult(in: "runs/a"),
        "runs/a: the folder is not empty and has no result.json; remove it."
      ),
      (
        CellFailure.otherOptions(in: "runs/a", "limit 100, not 50"),
        "runs/a: trained with other options (limit 100, not 50); remove it or choose another --output."
      ),
      (
        CellFailure.notEvaluated(in: "runs/a"),
        "runs/a: trained but not evaluated; remove it to train it again."
      ),
      (
        CellFailure.unreadable("runs/a", OnePassError(.badData, "runs/a/result.json is damaged.")),
        "runs/a/result.json is damaged. Remove runs/a to train it again."
      ),
      (CellFailure.signal(9), "Terminated by signal 9."),
      (CellFailure.status(3), "Exited with status 3."),
      (CellFailure.noRecord, "Exited without writing result.json."),
    ])
  func cellFailure(text: String, expected: String) {
    #expect(text == expected)
  }
}
