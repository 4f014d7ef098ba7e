import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("Experiment grids", .waitsForPrograms) struct ExperimentTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  var output: String { folder.file("runs") }

  init() throws {
    runs = try RunFixture(StripedImages(count: 120), evaluation: StripedImages(count: 40, seed: 2))
  }

  /// Writes a grid of three methods.
  func writeGrid(_ more: String = "", limit: Int = 100) throws -> String {
    let text = """
      options:
        data: idx:\(folder.path)
        eval-data: idx:\(folder.path):test
        model: resnet8
        batch-size: 16
        threads: 1
        limit: \(limit)
      seeds: 2
      cells:
        - method: naive
        - {method: replay, replay-steps: 2, storage: [5%, 10%]}
      \(more)
      """
    try folder.write(Array(text.utf8), to: "grid.yaml")
    return folder.file("grid.yaml")
  }

  func run(_ arguments: [String]) throws -> Program.Outcome {
    try onepass.run(["experiment", "run"] + arguments + ["--output", output])
  }

  static let cells = ["naive", "replay-k2-5pct", "replay-k2-10pct"]

  @Test("A grid is trained once and then shown in tables and a report")
  func aGridIsTrainedOnceAndThenShown() throws {
    let grid = try writeGrid()
    let first = try run([grid, "--parallel", "2", "--progress", "lines"])
    #expect(
      first.status == 0 && first.output.contains("6 cells: 6 trained, 0 already done"), "\(first.errors)")
    for cell in Self.cells {
      for seed in 1...2 {
        #expect(folder.exists("runs/\(cell)-seed\(seed)/result.json"))
        #expect(first.errors.contains("\(cell)-seed\(seed): done"))
      }
    }
    #expect(first.errors.contains("0 of 6 cells done, 0 running, 6 waiting"))

    let before = try folder.bytes(of: "runs/naive-seed1/result.json")
    let second = try run([grid])
    #expect(second.status == 0 && second.output.contains("6 cells: 0 trained, 6 already done"))
    #expect(try folder.bytes(of: "runs/naive-seed1/result.json") == before)

    let table = try onepass.run(["experiment", "table", output])
    #expect(table.status == 0, "\(table.errors)")
    for title in [
      "Table 1: resnet8 on 100 examples of idx:", "Table 2: ", "All variants: ",
    ] {
      #expect(table.output.contains(title), "\(title)")
    }
    let csv = try onepass.run(["experiment", "table", output, "--layout", "variants", "--format", "csv"])
    #expect(csv.output.split(separator: "\n").count == 1 + 3, "\(csv.output)")
    let json = try onepass.run(["experiment", "table", output, "--layout", "table1", "--format", "json"])
    #expect(json.output.contains("\"accuracy_percent_standard_error\""))
    let markdown = try onepass.run([
      "experiment", "table", output, "--layout", "table2", "--format", "markdown",
    ])
    #expect(markdown.output.contains("| effective epochs | compute | 5% | 10% |"))

    let report = try onepass.run(["experiment", "report", output, "--charts", folder.file("charts")])
    #expect(report.status == 0 && folder.exists("runs/report.html"), "\(report.errors)")
    #expect(folder.exists("charts/accuracy-storage.svg"))
  }

  /// A cell is an ordinary run: its recorded command makes the same weights.
  @Test("The recorded command of a cell trains the same weights")
  func aCellIsItsRecordedCommand() throws {
    let grid = try writeGrid()
    #expect(try run([grid, "--seeds", "2"]).status == 0)
    let commands = String(decoding: try folder.bytes(of: "runs/commands.sh"), as: UTF8.self)
    let line = try #require(
      commands.split(separator: "\n").first { $0.hasSuffix("/replay-k2-10pct-seed2") })
    var words = line.split(separator: " ").map(String.init)
    #expect(words.removeFirst() == "onepass")
    words[words.count - 1] = folder.file("runs/by-hand")
    let byHand = try onepass.run(words)
    #expect(byHand.status == 0, "\(byHand.errors)")
    try runs.expectSame("runs/by-hand", "runs/replay-k2-10pct-seed2")
    // A cell logs curves, but no images.
    let cell = folder.file("runs/replay-k2-10pct-seed2")
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(cell)/tensorboard").count == 1)
    #expect(!folder.exists("runs/replay-k2-10pct-seed2/metrics.jsonl"))
    #expect(
      !String(decoding: try folder.bytes(of: "runs/by-hand/result.json"), as: UTF8.self).contains(
        "loggedPictures"))
  }

  /// A memory directory belongs to one run, so each cell has a subfolder.
  @Test("Each cell has its own memory directory")
  func cellsHaveTheirOwnMemoryDirectories() throws {
    let text = """
      options: {data: "idx:\(folder.path)", model: resnet8, batch-size: 16, threads: 1, limit: 100}
      seeds: 2
      cells:
        - {method: replay, replay-steps: 1, storage: 10%, memory-directory: "\(folder.file("memory"))"}
      """
    try folder.write(Array(text.utf8), to: "disk.yaml")
    let outcome = try run([folder.file("disk.yaml"), "--parallel", "2"])
    #expect(outcome.status == 0 && outcome.output.contains("2 trained"), "\(outcome.errors)")
    for seed in 1...2 { #expect(folder.exists("memory/replay-k1-10pct-seed\(seed)/images.sqlite")) }
  }

  @Test("A dry run of a grid prints its commands and trains nothing")
  func aDryRunPrintsCommandsOnly() throws {
    let outcome = try run([try writeGrid(), "--dry-run", "--set", "weight-decay=5e-4"])
    #expect(outcome.status == 0 && outcome.output.split(separator: "\n").count == 6)
    #expect(outcome.output.hasPrefix("onepass train --data=idx:"))
    #expect(outcome.output.contains("--weight-decay=5e-4") && outcome.output.contains("/runs/naive-seed1\n"))
    #expect(!folder.exists("runs") && outcome.errors.isEmpty)
  }

  @Test("Presets take their data from the command line")
  func presetsTakeTheirDataFromTheCommandLine() throws {
    let outcome = try run([
      "--preset", "opin-table1", "--preset", "opin-table2", "--preset", "opin-ablations", "--memory-bytes",
      "20kB",
      "--data", "idx:\(folder.path)", "--model", "resnet8", "--limit", "100", "--seeds", "2", "--dry-run",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    // Table 1 and 2 share a cell; the ablations' three baselines are in Table 2.
    #expect(outcome.output.split(separator: "\n").count == 2 * (3 + 16 - 1 + 15 - 3))
    #expect(outcome.errors.contains("Note: Without --eval-data the results have no accuracy"))
    let imagenet = try run(["--preset", "imagenet", "--data", "folder:x", "--seeds", "1", "--dry-run"])
    #expect(imagenet.output.contains("--model=resnet50 --image-size=224"), "\(imagenet.errors)")
  }

  /// SIGINT makes the running cells save a checkpoint and ends the grid. The same command resumes them, with the weights
  /// of an uninterrupted run.
  @Test("An interrupted grid resumes and trains the same weights")
  func anInterruptedGridResumes() throws {
    let grid = try writeGrid("  - {method: multi-epoch, epochs: 60}")
    let running = try RunningProgram(
      onepass,
      ["experiment", "run", grid, "--seeds", "1", "--output", output, "--progress", "lines"])
    #expect(running.wait(for: "multi-epoch-60-seed1: running"))
    Thread.sleep(forTimeInterval: 1)
    running.signal(SIGINT)
    #expect(running.wait() == 128 + SIGINT, "\(running.errors)")
    #expect(running.errors.contains("Interrupted. To resume, run the same command again."))
    #expect(folder.exists("runs/naive-seed1/result.json"))
    #expect(!folder.exists("runs/multi-epoch-60-seed1/result.json"))

    // Left by a cell that was killed while it wrote.
    try folder.write([1], to: "runs/.multi-epoch-60-seed1.partial-X/curve.csv")
    let outcome = try run([grid, "--seeds", "1"])
    #expect(
      outcome.status == 0 && outcome.output.contains("4 cells: 1 trained, 3 already done"),
      "\(outcome.errors)")
    #expect(!folder.exists("runs/.multi-epoch-60-seed1.partial-X"))
    // The same run outside a grid.
    let alone = RunFixture(folder, data: runs.data, options: small + ["--limit", "100"])
    try alone.train("runs/uninterrupted", ["--method", "multi-epoch", "--epochs", "60"])
    try runs.expectSame("runs/uninterrupted", "runs/multi-epoch-60-seed1")
  }

  @Test("A cell that fails is named, and the others are trained")
  func aFailedCellIsNamedAndTheOthersAreTrained() throws {
    let grid = try writeGrid("  - {method: naive, learning-rate: 1e18}")
    let outcome = try run([grid, "--seeds", "1"])
    #expect(outcome.status == 70 && outcome.output.contains("4 cells: 3 trained, 0 already done, 1 failed"))
    #expect(
      outcome.errors.contains("Failed: naive-learning-rate-1e18-seed1: "),
      "\(outcome.errors)")
    #expect(outcome.errors.contains("Error: 1 of 4 cells failed"))
  }

  @Test("A record of other options is not reused")
  func aRecordOfOtherOptionsIsNotReused() throws {
    #expect(try run([try writeGrid(), "--seeds", "1"]).status == 0)
    let outcome = try run([try writeGrid(limit: 50), "--seeds", "1"])
    #expect(outcome.status == 70, "\(outcome.errors)")
    #expect(
      outcome.errors.contains("trained with other options (limit 100"), "\(outcome.errors)")

    // Options that a method does not use do not make a different run.
    let outcomeOfUnused = try run([
      "--preset", "opin-table1", "--data", "idx:\(folder.path)", "--eval-data", "idx:\(folder.path):test",
      "--model",
      "resnet8", "--set", "batch-size=16", "--set", "threads=1", "--limit", "100", "--seeds", "1", "--set",
      "recency-bias=3",
    ])
    #expect(
      outcomeOfUnused.output.contains("3 cells: 2 trained, 1 already done"), "\(outcomeOfUnused.errors)")

    try folder.write(Array("{".utf8), to: "runs/naive-seed1/result.json")
    let damaged = try run([try writeGrid(), "--seeds", "1"])
    #expect(damaged.status == 70 && damaged.errors.contains("naive-seed1/result.json"), "\(damaged.errors)")
    let table = try onepass.run(["experiment", "table", output, "--layout", "variants"])
    #expect(table.status == 0 && table.errors.contains("Skipped \(output)/naive-seed1"), "\(table.errors)")
  }

  @Test("Two grids cannot write to one folder at once")
  func aSecondGridInOneFolderIsRefused() throws {
    try folder.write([], to: "runs/.lock")
    let lock = open(folder.file("runs/.lock"), O_RDWR)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    let outcome = try run([try writeGrid()])
    #expect(outcome.status == 64 && outcome.errors.contains("in use by another `onepass experiment run`"))
  }

  @Test("Invalid grids are refused with an error message")
  func invalidGridsAreRefused() throws {
    let missing = try run([folder.file("nowhere.yaml")])
    #expect(missing.status == 74 && missing.errors.contains("nowhere.yaml: cannot be read as UTF-8 text"))
    #expect(try run([]).errors.contains("The grid is missing; pass a YAML file or a preset"))
    let unknown = try run([try writeGrid("  - {method: replay, stroage: 5%}")])
    #expect(
      unknown.status == 64 && unknown.errors.contains("grid.yaml:12: Unknown option 'stroage'"),
      "\(unknown.errors)")
    let impossible = try run([try writeGrid("  - {method: replay, storage: 0%}")])
    #expect(
      impossible.status == 64 && impossible.errors.contains("grid.yaml:12: --storage must be more than 0%"))
    let bytes = try run(["--preset", "opin-ablations", "--memory-bytes", "10%", "--data", "idx:x"])
    #expect(
      bytes.status == 64 && bytes.errors.contains("--memory-bytes must be a number of bytes with a unit"))
    let unused = try run([try writeGrid(), "--memory-bytes", "1MB"])
    #expect(unused.status == 64 && unused.errors.contains("--memory-bytes is an option of the presets"))
    let noData = try run(["--preset", "opin-table1", "--data", "folder:\(folder.file("nowhere"))"])
    #expect(noData.status == 74 && noData.errors.split(separator: "\n").count == 2, "\(noData.errors)")
    #expect(!folder.exists("runs"))
    for command in ["table", "report"] {
      let empty = try onepass.run(["experiment", command, folder.path])
      #expect(
        empty.status == 74 && empty.errors.hasPrefix("Error: \(folder.path): no finished runs found"),
        "\(empty.errors)")
    }
  }
}
