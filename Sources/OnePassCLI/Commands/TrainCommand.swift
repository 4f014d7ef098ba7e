import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassExperiments
import OnePassMLflow

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model on a stream, once.",
    discussion: """
      The defaults are the paper's: prioritised replay of k = 8 mini-batches from a memory of 10 % of the stream.

      SPEC is fashion-mnist, idx:DIR, folder:DIR (a folder for each class), list:FILE (a text file with a line \
      PATH LABEL for each image), zip:FILE, ilsvrc:FILE, cifar:DIR, hf:PATTERN (Parquet files), synthetic:COUNT:SIZE:CLASSES \
      (noise), or wds:PATTERN (WebDataset shards: 'wds:data/train-{0000..0009}.tar', .tar.gz, .tar.zst, https:// \
      addresses, or wds:- for standard input). Shards and Parquet files are taken as they arrive; every other source \
      is put in a random order by the seed.

      A configuration (--config) is a YAML file with options of this command, without dashes, a line for each:

        data: folder:photos/train
        model: resnet18
        replay-steps: 3
        importance-weights: false

      What the command line says wins. Paths start from where the program is started, as they do there. Each run \
      leaves the file that makes it again in its output folder, run.yaml.

      SIGINT and SIGTERM stop a run so that --resume goes on; SIGUSR1 has one with --schedule on-demand cool down and finish.

      Started by torchrun, srun, Kubernetes or by hand with RANK and WORLD_SIZE, processes train together.

      --help lists the options that most runs need, --help-hidden all of them.
      """)

  @OptionGroup(title: "Data") var data: DataOptions
  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Method") var method: MethodOptions
  @OptionGroup(title: "Augmentation") var augmentation: AugmentationOptions
  @OptionGroup(title: "Recipe") var recipe: RecipeOptions
  @OptionGroup(title: "Machine") var compute: ComputeOptions
  @OptionGroup(title: "Machine") var precision: PrecisionOptions
  @OptionGroup(title: "Machine") var processes: ProcessOptions
  @OptionGroup(title: "Machine") var decoding: DecodeOptions

  @Option(
    help: """
      Options under one name: the paper's method and recipe (paper: what every option is if nothing is said), or what was best \
      in our experiments at the same storage and compute (best). What a configuration or the command line says wins.
      """)
  var preset: RunPreset?

  @Option(
    help: ArgumentHelp(
      "A YAML file with options of this command, as `name: value`; what the command line says wins.",
      valueName: "FILE"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "The folder that receives result.json, curve.csv, run.yaml (this run as a --config) and the checkpoint.",
      valueName: "DIR"),
    completion: .directory)
  var output: String?

  @Option(
    name: .customLong("checkpoint-every"),
    help: ArgumentHelp(
      "Save the run in the output folder while it trains: after so many steps (100), or so much time (10m).",
      valueName: "STEPS|TIME"))
  var checkpointEvery: String?

  @Option(
    name: .customLong("keep-checkpoints"),
    help: ArgumentHelp(
      "How many of the last checkpoints are kept while the run trains.", valueName: "K", visibility: .ofAll))
  var keptCheckpoints = 2

  @Flag(
    inversion: .prefixedNo,
    help:
      "Go on from the last checkpoint in the output folder, exactly as if nothing had been; else begin anew.")
  var resume = false

  @Flag(
    name: .customLong("dry-run"),
    help:
      "Only tell what the run would come to: size, memory, updates, time, RAM. Trains for some seconds to see."
  )
  var dryRun = false

  @Option(
    name: .customLong("log"),
    help: ArgumentHelp(
      "What is logged while the run trains: in the output folder tensorboard (event files), tensorboard:pictures (with images "
        + "of the memory) and jsonl (metrics.jsonl); mlflow:http://HOST:PORT#EXPERIMENT on a server; or none. Can be "
        + "repeated (default: tensorboard and jsonl).",
      valueName: "KIND", visibility: .ofAll))
  var logs: [String] = []

  @Flag(inversion: .prefixedNo, help: "Print the result as JSON.")
  var json = false

  @Flag(name: .shortAndLong, inversion: .prefixedNo, help: "Show no progress.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      """
      How progress is shown on standard error: on a terminal only, as one line that renews itself (auto), as a plain line \
      every ten seconds (lines), or as JSON, an object on each line (json).
      """, visibility: .ofAll))
  var progress = ProgressStyle.auto

  func run() throws {
    if dryRun { return try showForecast() }
    let timeout = Duration.seconds(processes.rankTimeout)
    guard let group = try TrainingProcesses.join(device: compute.device, timeout: timeout) else {
      return try train(nil)
    }
    try group.run { try train(group) }
  }

  /// - Parameter processes: The processes that train together, if this one has company.
  private func train(_ processes: TrainingProcesses?) throws {
    let isFirst = processes?.isFirst ?? true
    let observer: any TrainingObserver =
      if !isFirst { SilentObserver() } else if progress == .json { ProgressLines() } else {
        ProgressDisplay(quiet: quiet, lines: progress == .lines)
      }
    defer { observer.closeLine() }
    let destinations = try LogPlan.destinations(logs, [MLflowAddress.logScheme])
    let checkpoints = try checkpointPlan()
    let finished = resume && isFirst ? output.flatMap { try? RunFiles.result(in: $0) } : nil
    if try processes?.anyone(finished != nil) ?? (finished != nil) {
      guard let output, let finished else { return }
      Console.note("The run in \(output) is finished.")
      UnfinishedRun.removeLeftovers(ofFinishedRunIn: output)
      return try show(finished)
    }
    let stop = StopRequest()
    let signals = SignalWatch([SIGINT, SIGTERM, SIGUSR1]) { number in
      if number == SIGUSR1 { return stop.coolDown() }
      // What was saved last is whole: checkpoints get their names when they are complete.
      if stop.isStopping { _exit(128 + number) }
      stop.stop()
      // On a terminal this comes in the middle of a line.
      if isFirst {
        Console.error((Console.isLive ? "\n" : "") + "Stopping after this step; again to stop at once.")
      }
    }
    defer { signals.cancel() }
    do {
      var configuration = try configuration()
      if let processes {
        configuration.machine.device = processes.device
        configuration.machine.decodeThreads = configuration.machine.decodeThreads ?? processes.decodeThreads
      }
      let result = try TrainingRun(configuration).start(
        output: output, resuming: resume, checkpoints: checkpoints, stop: stop, group: processes?.group,
        logs: LogPlan(destinations)
      ) { observer.show($0) }
      observer.closeLine()
      if isFirst { try show(result) }
    } catch let stopped as RunStopped {
      observer.closeLine()
      guard isFirst else { return }
      let place = "Stopped after step \(Figures.count(stopped.step)) of \(Figures.count(stopped.steps))"
      guard stopped.output != nil else {
        Console.error("\(place). Nothing was saved, because no --output was given.")
        throw ExitCode(128 + SIGINT)
      }
      Console.error("\(place). Give the same command with --resume to go on.")
    }
  }

  private func show(_ result: RunResult) throws {
    if json {
      try Console.result(JSON.text(result))
    } else {
      try Console.result(ResultText(result: result).summary)
      if let output { try Console.result("results    \(output)/result.json") }
    }
  }

  /// When the run is saved while it trains.
  func checkpointPlan() throws -> CheckpointPlan {
    try checkKeptCheckpoints()
    let interval = try checkpointEvery.map { try CheckpointInterval($0) }
    guard output != nil || interval == nil else {
      throw OnePassError(.usage, "--checkpoint-every saves in a folder: say with --output in which.")
    }
    return CheckpointPlan(every: interval, kept: keptCheckpoints)
  }

  func checkKeptCheckpoints() throws {
    try OptionRange.between(1, 4_096).check("--keep-checkpoints", keptCheckpoints)
  }
}
