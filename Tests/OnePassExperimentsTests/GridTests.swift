import OnePass
import OnePassCore
import OnePassData
import OnePassReplay
import TestSupport
import Testing

@testable import OnePassExperiments

@Suite("Grids of runs") struct GridTests {
  /// A small stand-in for the argument parser: `--name=value`, and one flag.
  static func read(_ arguments: [String]) throws -> RunConfiguration {
    var configuration = RunConfiguration(data: "")
    for argument in arguments {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      let value = parts.count > 1 ? parts[1] : ""
      func number() throws -> Int {
        guard let number = Int(value) else {
          throw OnePassError(.usage, "\(parts[0]) takes a number, not \(value).")
        }
        return number
      }
      switch parts[0] {
      case "--data": configuration.data.source = value
      case "--model": configuration.model.name = value
      case "--limit": configuration.data.limit = try number()
      case "--method":
        guard let method = Method(rawValue: value) else {
          throw OnePassError(.usage, "\(value) is not a method.")
        }
        configuration.method = method
      case "--replay-steps": configuration.replay.steps = try number()
      case "--storage": configuration.memory.storage = try StorageBudget(value)
      case "--epochs": configuration.epochs = try number()
      case "--priority": configuration.replay.priority = value == "uniform" ? .uniform : .loss
      case "--alpha": configuration.replay.smoothing = value == "literal" ? .literal : .full
      case "--priority-timing":
        configuration.replay.priorityTiming = PriorityTiming(rawValue: value) ?? .insertion
      case "--incoming-view": configuration.step.incomingView = IncomingView(rawValue: value) ?? .augmented
      case "--order-seed": configuration.orderSeed = UInt64(value)
      case "--updates": configuration.step.updates = value == "joint" ? .joint : .sequential
      case "--memory-encoding": configuration.memory.encoding = MemoryEncoding(rawValue: value) ?? .original
      case "--recency-bias": configuration.memory.recencyBias = Double(value) ?? 0
      case "--learning-rate": configuration.recipe.learningRate = Double(value) ?? 0
      case "--eval-data": configuration.data.evaluationSource = value
      case "--momentum": configuration.recipe.momentum = Double(value) ?? -1
      case "--image-size": configuration.model.imageSize = try number()
      case "--batch-size": configuration.recipe.batchSize = try number()
      case "--no-importance-weights": configuration.replay.importanceWeights = false
      case "--seed": configuration.seed = UInt64(value) ?? 0
      default: throw OnePassError(.usage, "Unknown option \(parts[0]).")
      }
    }
    return configuration
  }

  func grid(
    _ text: String, overrides: [TrainOption] = [], seeds: [UInt64]? = nil
  ) throws -> Grid {
    try Grid(
      [GridDescription(text: text, source: "grid.yaml")], overrides: overrides, seeds: seeds, read: Self.read)
  }

  @Test("Values are crossed, and seeds come last")
  func valuesAreCrossedAndSeedsComeLast() throws {
    let grid = try grid(
      """
      options: {data: d, model: resnet8}
      seeds: [4, 2]
      cells:
        - method: naive
        - method: replay
          replay-steps: [1, 3]
          storage: [1%, 500MB]
        - {method: multi-epoch, epochs: [2, 90]}
      """)
    let variants = [
      "naive", "replay-k1-1pct", "replay-k1-500000000B", "replay-k3-1pct", "replay-k3-500000000B",
      "multi-epoch-2", "multi-epoch-90",
    ]
    #expect(grid.variants == variants && grid.seeds == [2, 4])
    #expect(grid.cells.map(\.name) == variants.map { "\($0)-seed2" } + variants.map { "\($0)-seed4" })
    let cell = grid.cells[3]
    #expect(
      cell.arguments == [
        "--data=d", "--model=resnet8", "--method=replay", "--replay-steps=3", "--storage=1%", "--seed=2",
      ])
    #expect(cell.configuration.replay.steps == 3 && cell.configuration.seed == 2)
  }

  /// The same run has the same name, so that a grid finds the records of another.
  @Test("A name contains only options that change the run")
  func aNameHasOnlyOptionsThatChangeTheRun() throws {
    let grid = try grid(
      """
      options: {data: d}
      cells:
        - {method: replay, storage: 10%, priority: [loss, uniform], importance-weights: false}
        - {method: replay, alpha: full, recency-bias: 1.5, storage: 10%}
        - {method: replay, recency-bias: 2.5, alpha: literal}
      """)
    #expect(
      grid.variants == [
        "replay-k8-10pct-no-importance-weights", "replay-k8-10pct-no-importance-weights-priority-uniform",
        "replay-k8-10pct", "replay-k8-10pct-alpha-literal-recency-bias-2.5",
      ])
  }

  @Test(
    "An invalid grid is refused with its line",
    arguments: [
      ("options: {data: d}\ncells:\n  - method: naiv", "grid.yaml:3: naiv is not a method."),
      ("options:\n  data: d\n  modle: x\ncells:\n  - method: naive", "grid.yaml:3: Unknown option --modle."),
      (
        "options: {data: d}\noptoins: {}\ncells:\n  - method: naive",
        "grid.yaml:2: \"optoins\" is not a key of a grid"
      ),
      (
        "options: {data: d}\ncells:\n  - method: naive\n  - method: naive",
        "grid.yaml:4: the cell naive-seed1 is already defined at grid.yaml:3"
      ),
      (
        "options: {data: d}\ncells:\n  - method: replay\n    storage: [1%, 200%]",
        "grid.yaml:4: --storage must be more than 0% and at most 100% of the stream (got 200%)."
      ),
      (
        "options: {data: d}\ncells:\n  - replay-steps: [3,\n     -1]",
        "grid.yaml:4: --replay-steps must be between 0 and 10000 (got -1)."
      ),
      (
        "options: {data: d, model: resnet99}\ncells:\n  - method: naive",
        "grid.yaml:1: --model must be one of resnet8, "
      ),
      ("options: {data: d, data: e}\ncells: []", "grid.yaml:1: data is set twice"),
      ("options: {data: d, output: e}\ncells:\n  - method: naive", "grid.yaml:1: output cannot be set here"),
      ("options: {data: d}\ncells:\n  - seed: 3", "grid.yaml:3: seed cannot be set here; use seeds"),
      ("options: {data: d}\ncells:\n  - help: true", "grid.yaml:3: help cannot be set here"),
      (
        "options: {data: d}\ncells:\n  - importance-weights: no",
        "grid.yaml:3: importance-weights does not accept no"
      ),
      ("options: {data: d, limit: null}\ncells:\n  - method: naive", "grid.yaml:1: limit has no value"),
      ("seeds: &a 3\noptions:\n  <<: *a\ncells: []", "merge keys"),
      ("options: {data: d}\nseeds: []\ncells:\n  - method: naive", "grid.yaml:2: seeds has no values"),
      (
        "options: {data: d}\nseeds: [1, 1]\ncells:\n  - method: naive",
        "grid.yaml:2: seed 1 is listed twice"
      ),
      ("options: {data: d}\ncells:\n  - learning-rate: [0.2, 2e-1]", "is already defined at grid.yaml:3"),
      ("options: {data: 'wds:-'}\ncells:\n  - method: naive", "grid.yaml:1: a grid reads its stream once"),
      ("options: {data: d, method: naive}\ncells:\n  - method: naive", "grid.yaml:3: method is also set"),
      ("options: {data: d}\nseeds: [1, x]\ncells:\n  - method: naive", "grid.yaml:2: x is not a seed"),
      (
        "options: {data: d}\nseeds: 0\ncells:\n  - method: naive",
        "grid.yaml:2: seeds must be a number from 1 to 10,000"
      ),
      ("options: {data: d}\ncells: naive", "grid.yaml:2: cells must be a list"),
      ("options: {data: d}\ncells:\n  - method: []", "grid.yaml:3: method has no values"),
      (
        "options: {data: d}\ncells:\n  - method: {a: b}", "grid.yaml:3: method must have a single plain value"
      ),
      ("options: {data: d}\ncells:\n  - [", "invalid YAML"),
      ("options: {data: d}", "grid.yaml: the grid has no cells"),
      ("cells:\n  - method: naive", "grid.yaml: data is missing"),
      ("", "grid.yaml: the grid is empty"),
      ("just words", "grid.yaml:1: expected options, seeds and cells"),
    ])
  func aBrokenGridIsRefusedWithItsLine(text: String, message: String) {
    #expect {
      try grid(text)
    } throws: { error in
      (error as? OnePassError)?.code == .usage && "\(error)".contains(message)
    }
  }

  @Test("A grid with too many cells is refused before it is expanded")
  func aGridWithTooManyCellsIsRefused() {
    let values = "[\((1...100).map(String.init).joined(separator: ", "))]"
    let group = ["replay-steps", "epochs", "batch-size", "limit"].map { "    \($0): \(values)" }
    let text = "options: {data: d}\ncells:\n  - method: replay\n\(group.joined(separator: "\n"))"
    #expect { try grid(text) } throws: { "\($0)".contains("make 100,000,000 cells, more than 5,000") }
    #expect {
      try grid("options: {data: d}\nseeds: 5001\ncells:\n  - method: naive")
    } throws: { "\($0)".contains("The grid has 5,001 cells") }
  }

  /// Presets share cells. Different runs with the same name in two grids are a mistake.
  @Test("Two grids share only identical cells")
  func twoGridsShareOnlyIdenticalCells() throws {
    func both(_ second: String) throws -> Grid {
      let texts = ["options: {data: d, model: resnet8}\ncells:\n  - method: naive", second]
      return try Grid(
        texts.enumerated().map { try GridDescription(text: $1, source: "grid\($0 + 1).yaml") },
        read: Self.read)
    }
    #expect(
      try both("options: {data: d, model: resnet8}\ncells:\n  - method: [naive, replay]").variants
        == ["naive", "replay-k8-10pct"])
    #expect {
      try both("options: {data: d, model: resnet20}\ncells:\n  - method: naive")
    } throws: {
      "\($0)".contains(
        "grid2.yaml:3: the cell naive-seed1 is a different run at grid1.yaml:3 (model resnet8 there, resnet20 here)"
      )
    }
  }

  @Test("Commands are quoted for a shell")
  func commandsAreQuotedForAShell() throws {
    let cell = try grid("options: {data: \"wds:my data/it's-{0..3}.tar\"}\ncells:\n  - storage: 10%").cells[0]
    #expect(
      cell.command(output: "a b")
        == "onepass train '--data=wds:my data/it'\\''s-{0..3}.tar' --storage=10% --seed=1 --output 'a b'")
  }

  @Test("The command line applies to every cell")
  func theCommandLineAppliesToEveryCell() throws {
    let text = """
      options: {data: d, model: resnet8}
      cells:
        - {method: naive}
        - {method: replay, storage: 1%}
      """
    let changed = try grid(
      text, overrides: [TrainOption("model", "resnet20", at: Place("--model"))], seeds: [7])
    #expect(changed.cells.map(\.configuration.model.name) == ["resnet20", "resnet20"])
    #expect(changed.cells.map(\.seed) == [7, 7])
    #expect(changed.cells[0].arguments == ["--data=d", "--model=resnet20", "--method=naive", "--seed=7"])
    #expect {
      try grid(text, overrides: [TrainOption("storage", "5%", at: Place("--set storage=5%"))])
    } throws: {
      "\($0)".contains("grid.yaml:4: storage is set in this group of cells and on the command line")
    }
  }

  @Test("Assignments and lists of seeds are parsed")
  func assignmentsAndSeedListsAreRead() throws {
    let option = try TrainOption(assignment: "--weight-decay=5e-4")
    #expect(option.name == "weight-decay" && option.value == "5e-4")
    #expect(throws: OnePassError.self) { try TrainOption(assignment: "weight-decay") }
    #expect(try SeedList("3", at: Place("x")).seeds == [1, 2, 3])
    #expect(try SeedList("5,2", at: Place("x")).seeds == [5, 2])
    for text in ["", "0", "-1", "1,1", "x", "1,", "10001"] {
      #expect(throws: OnePassError.self, "\(text)") { try SeedList(text, at: Place("x")) }
    }
  }

  func preset(_ preset: GridPreset, memoryBytes: String? = nil) throws -> Grid {
    try Grid(
      preset.descriptions(memoryBytes: memoryBytes),
      overrides: [TrainOption("data", "d", at: Place("--data"))],
      read: Self.read)
  }

  @Test("The presets are the paper's tables")
  func presetsAreThePapersTables() throws {
    #expect(
      try preset(.table1).variants == ["naive", "replay-k8-10pct", "multi-epoch-90"])
    let table2 = try preset(.table2).variants
    #expect(table2.count == 4 * 3 + 4)
    for k in PaperFigures.replaySteps {
      for storage in ["1pct", "5pct", "10pct"] { #expect(table2.contains("replay-k\(k)-\(storage)")) }
      #expect(table2.contains("multi-epoch-\(k + 1)"))
    }
    let ablations = try preset(.ablations, memoryBytes: "1MB").variants
    #expect(ablations.count == 3 + 1 + 2 + 1 + 1 + 1 + 2 + 2 + 2)
    #expect(ablations.contains("replay-k8-10pct-priority-timing-current"))
    #expect(ablations.contains("replay-k8-10pct-incoming-view-centre"))
    #expect(ablations.contains("replay-k8-1000000B-memory-encoding-pixels"))
    #expect(try preset(.ablations).variants.count == ablations.count - 2)
  }

  /// A naive run has no memory, and `epochs` is of multi-epoch training only.
  @Test("An option of all cells is left out of the cells in which it has no effect")
  func commonOptionsApplyWhereTheyHaveAnEffect() throws {
    let grid = try grid(
      """
      options: {data: d, model: resnet8, storage: 5%, epochs: 3}
      seeds: 1
      cells:
        - {method: [naive, replay, multi-epoch]}
      """)
    #expect(
      grid.cells.map { $0.arguments.filter { ["--storage=5%", "--epochs=3"].contains($0) } }
        == [[], ["--storage=5%"], ["--epochs=3"]])
    #expect(grid.cells.map(\.variant) == ["naive", "replay-k8-5pct", "multi-epoch-3"])
  }

  @Test(
    "An option without effect is refused with its line",
    arguments: [
      (
        "options: {data: d, model: resnet8}\ncells:\n  - {method: naive, storage: 5%}",
        "grid.yaml:3: --storage has no effect with --method naive; omit it, or pass --method replay."
      ),
      (
        "options:\n  data: d\n  epochs: 3\ncells:\n  - {method: naive}",
        "grid.yaml:3: --epochs has no effect with --method naive; omit it, or pass --method multi-epoch."
      ),
    ])
  func anOptionWithoutEffectIsRefused(text: String, message: String) {
    #expect { try grid(text) } throws: { "\($0)" == message }
  }

  @Test("Aliases are the same option as its name")
  func aliasesAreTheSameOption() throws {
    let text = "options: {data: d, model: resnet8, lr: 0.5}\ncells:\n  - {method: replay, k: [2, 3]}"
    let aliased = try grid(text)
    let named = try grid(text.replacing("lr:", with: "learning-rate:").replacing("k:", with: "replay-steps:"))
    #expect(aliased.cells.map(\.arguments) == named.cells.map(\.arguments))
    #expect(aliased.variants == ["replay-k2-10pct", "replay-k3-10pct"])
    #expect(throws: OnePassError.self) {
      try grid(text, overrides: [TrainOption("replay-steps", "4", at: Place("--set"))])
    }
  }

  @Test("A folder is read as one, with one notice")
  func aFolderIsReadAsOne() throws {
    let folder = try TemporaryFolder()
    let grid = try grid(
      "options: {data: \(folder.path), model: resnet8}\nseeds: 2\ncells:\n  - {method: replay, replay-steps: [2, 3]}"
    )
    #expect(grid.notices == ["\(folder.path) is read as folder:\(folder.path)."])
    #expect(grid.cells.allSatisfy { $0.configuration.data.source == "folder:\(folder.path)" })
  }

  /// Several orders of one initialisation.
  @Test("Seeds of the order are crossed like any option")
  func seedsOfTheOrderAreCrossed() throws {
    let grid = try grid(
      "options: {data: d, model: resnet8}\nseeds: [1]\ncells:\n  - {method: naive, order-seed: [1, 2]}")
    #expect(grid.cells.map(\.name) == ["naive-order-seed-1-seed1", "naive-order-seed-2-seed1"])
    #expect(grid.cells.map(\.configuration.orderSeed) == [1, 2])
  }

  @Test("The ImageNet preset is the paper's setting")
  func theImageNetPresetIsThePapersSetting() throws {
    let grid = try preset(.imagenet)
    // Three of the ablations' baselines and Table 1's replay are in Table 2 as well.
    #expect(grid.variants.count == 3 + 16 - 1 + 15 - 3 && grid.seeds == Array(1...10))
    for cell in grid.cells {
      let configuration = cell.configuration
      #expect(configuration.model.name == "resnet50" && configuration.model.imageSize == 224)
      #expect(configuration.recipe.batchSize == 128 && configuration.recipe.learningRate == 0.1)
      #expect(configuration.recipe.momentum == 0.9 && configuration.recipe.weightDecay == 0)
    }
  }

  /// Every user of the machine can read the command line of a process.
  @Test("Secrets of a source reach a cell by its environment")
  func secretsAreInTheEnvironment() {
    var variables = ["OMP_WAIT_POLICY": "passive"]
    let secret = "wds:https://me:pw@h/t-{0..9}.tar?sig=x"
    let arguments = [
      "--data=\(secret)", "--eval-data=hf:https://h/v.parquet?sig=y", "--model=resnet8", "--seed=1",
    ]
    #expect(
      GridRunner.hidingSecrets(arguments, in: &variables)
        == ["--data=env:ONEPASS_DATA", "--eval-data=env:ONEPASS_EVAL_DATA", "--model=resnet8", "--seed=1"])
    #expect(
      variables == [
        "OMP_WAIT_POLICY": "passive", "ONEPASS_DATA": secret,
        "ONEPASS_EVAL_DATA": "hf:https://h/v.parquet?sig=y",
      ])
    let plain = ["--data=folder:what?/a", "--eval-data=wds:https://h/v.tar"]
    #expect(GridRunner.hidingSecrets(plain, in: &variables) == plain && variables.count == 3)
  }
}
