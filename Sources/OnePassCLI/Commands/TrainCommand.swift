import ArgumentParser
import Foundation
import OnePass
import OnePassCore
import OnePassExperiments
import OnePassMLflow
import Synchronization

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model in one pass over a stream.",
    discussion: """
      The defaults are the paper's: prioritised replay with k = 8 and a memory of 10% of the stream.

      Sources (SPEC):
        fashion-mnist[:test] 70,000 grey images of clothes, 28 x 28
        idx:DIR[:test]       MNIST-style idx files, plain or .gz
        folder:DIR           image files, one folder per class
        list:FILE            text file with one line PATH LABEL per image
        zip:FILE             zip archive with one folder per class
        ilsvrc:FILE          ILSVRC2012_img_train.tar
        cifar:DIR[:test]     CIFAR-10 or CIFAR-100, binary version
        wds:PATTERN          WebDataset shards: 'wds:data/train-{0000..0009}.tar',
                             plain or compressed, https:// or wds:- (standard input)
        hf:PATTERN           Parquet files with images and labels
        synthetic:COUNT:SIZE:CLASSES
                             noise
        kafka://HOST:PORT/TOPIC, redis://HOST:PORT/STREAM, nats://HOST:PORT/STREAM,
        amqp://HOST:PORT/STREAM
                             stream of a broker (RabbitMQ for amqp://)

      Shards and Parquet files are read in their order. All other sources are shuffled with the seed, or with --order-seed.

      A configuration file (--config) has options of this command, without dashes:

        data: folder:photos/train
        model: resnet18
        replay-steps: 3
        importance-weights: false

      The command line overrides it. Relative paths are resolved against the working directory. Each run writes its own \
      configuration to run.yaml in the output folder.

      SIGINT and SIGTERM stop a run, and --resume continues it. SIGUSR1 makes a run with --schedule on-demand \
      cool down and finish.

      For distributed training, start the processes with torchrun, srun or Kubernetes, or set RANK and WORLD_SIZE.

      --help lists the most common options, --help-hidden all of them.
      """)

  @OptionGroup(title: "Data") var data: DataOptions
  @OptionGroup(title: "Brokers") var live: LiveStreamOptions
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
      Preset options: paper (the defaults), or best (higher accuracy at the same storage and compute; see \
      docs/training-recipe.md). The configuration file and the command line override it.
      """)
  var preset: RunPreset?

  @Option(
    help: ArgumentHelp(
      "YAML file with options as `name: value`; the command line overrides it.",
      valueName: "FILE"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Output folder: result.json, curve.csv, run.yaml (rerun with --config), checkpoint; none writes nothing "
        + "(default: runs/DATE-NAME).",
      valueName: "DIR"),
    completion: .directory)
  var output: String?

  @Option(
    name: .customLong("checkpoint-every"),
    help: ArgumentHelp(
      "Checkpoint interval in steps (100) or time (10m).",
      valueName: "STEPS|TIME"))
  var checkpointEvery: String?

  @Option(
    name: .customLong("keep-checkpoints"),
    help: ArgumentHelp(
      "Number of checkpoints to keep while the run trains.", valueName: "K", visibility: .ofAll))
  var keptCheckpoints = 2

  @Flag(
    inversion: .prefixedNo,
    help:
      "Resume from the last checkpoint in the output folder, if there is one, with the result of an uninterrupted run."
  )
  var resume = false

  @Flag(
    name: .customLong("continue"), inversion: .prefixedNo,
    help: """
      With --resume: take what comes next in the stream, instead of the same stream from its start. For streams that are not \
      kept. The result records the gap.
      """)
  var continues = false

  @Flag(
    name: .customLong("keep-state"), inversion: .prefixedNo,
    help: ArgumentHelp(
      "Keep the state of the finished run for --extend: momentum, averages, and the images of its memory.",
      visibility: .ofAll))
  var keepsState = false

  @Option(
    name: .customLong("extend"),
    help: ArgumentHelp(
      "Folder of a finished run with a kept state, which this run continues on more of the stream.",
      valueName: "DIR", visibility: .ofAll), completion: .directory)
  var extended: String?

  @Flag(
    name: .customLong("dry-run"),
    help:
      "Print a forecast of storage, compute, time and RAM, from a warm-up of a few seconds."
  )
  var dryRun = false

  @Option(
    name: .customLong("log"),
    help: ArgumentHelp(
      "Log of the training: tensorboard (event files), tensorboard:pictures (with images of the memory), jsonl "
        + "(metrics.jsonl), mlflow:http://HOST:PORT#EXPERIMENT, or none. Can be repeated (default: tensorboard and jsonl).",
      valueName: "KIND", visibility: .ofAll))
  var logs: [String] = []

  @Flag(
    name: .customLong("report"), inversion: .prefixedNo,
    help: ArgumentHelp("Write report.html, a page about the run, to the output folder.", visibility: .ofAll))
  var writesReport = true

  @Flag(inversion: .prefixedNo, help: "Print the result as JSON.")
  var json = false

  @Flag(name: .shortAndLong, inversion: .prefixedNo, help: "Do not show progress.")
  var quiet = false

  @Option(
    help: ArgumentHelp(
      """
      Format of standard error: a status line on a terminal only (auto), a line with the time every ten seconds \
      (lines), or JSON Lines (json).
      """, visibility: .ofAll))
  var progress = ProgressStyle.auto

  func run() throws {
    Console.form = progress.form(rank: try TrainingProcesses.rank)
    if dryRun { return try showForecast() }
    let group = try TrainingProcesses.join(
      device: compute.chosenDevice, timeouts: processes.timeouts()
    ) { Self.showWait($0.message, seconds: $0.duration / .seconds(1)) }
    guard let group else { return try train(nil) }
    try group.run { try train(group) }
  }

  /// - Parameter processes: The processes of distributed training; `nil` for a single process.
  private func train(_ processes: TrainingProcesses?) throws {
    let isFirst = processes?.isFirst ?? true
    let observer: any TrainingObserver =
      if !isFirst { SilentObserver() } else if progress == .json { ProgressLines() } else {
        ProgressDisplay(quiet: quiet, lines: progress == .lines)
      }
    defer { observer.closeLine() }
    let destinations = try LogPlan.destinations(logs, [MLflowAddress.logScheme])
    let checkpoints = try checkpointPlan()
    guard !resume || folder != nil else { throw OnePassError.resumingWithoutOutput() }
    let finished = resume && isFirst ? folder.flatMap { try? RunFiles.result(in: $0) } : nil
    if try processes?.anyone(finished != nil) ?? (finished != nil) {
      guard let folder, let finished else { return }
      Console.note("The run in \(folder) is already finished.")
      writeFinished(finished, in: folder)
      UnfinishedRun.removeLeftovers(ofFinishedRunIn: folder)
      return try show(finished, in: folder)
    }
    let stop = StopRequest()
    let received = Mutex<Int32>(SIGTERM)
    Console.whenReaderIsGone { stop.stop() }
    let signals = SignalWatch([SIGINT, SIGTERM, SIGUSR1] + SignalWatch.hangUp) { number in
      if number == SIGUSR1 { return stop.coolDown() }
      // The last checkpoint is complete, since checkpoints are renamed after they are written.
      if stop.isStopping { _exit(128 + number) }
      received.withLock { $0 = number }
      stop.stop()
      // On a terminal the cursor is at the end of the status line.
      if isFirst {
        if Console.isLive, case .plain = Console.form { Console.status("\n") }
        Console.error("Stopping after this step; send the signal again to stop at once.")
      }
    }
    defer { signals.cancel() }
    do {
      var configuration = try configuration()
      if let processes {
        configuration.machine.device = processes.device
        configuration.machine.decodeThreads = configuration.machine.decodeThreads ?? processes.decodeThreads
      }
      var run = try TrainingRun(configuration)
      // The first rank decides, since the others write nothing.
      let made = isFirst && output == nil ? try DefaultOutput(for: run.configuration) : nil
      defer { made?.removeIfEmpty() }
      let output = made?.path ?? folder
      if let made { observer.show(.notice("Writing to \(made.path).")) }
      let arrivals = isFirst && observer.showsWaits ? ArrivalWatch() : nil
      run.arrivals = arrivals
      let notices = arrivals.map { ArrivalNotices($0) { Self.showWait($0, seconds: $1) } }
      defer { notices?.cancel() }
      let result = try run.start(
        output: output, resuming: resume, continuing: continues, extending: extended,
        checkpoints: checkpoints, stop: stop, group: processes?.group, logs: LogPlan(destinations)
      ) { observer.show($0) }
      observer.closeLine()
      guard isFirst else { return }
      try show(result, in: output)
      writeFinished(result, in: output)
    } catch let stopped as RunStopped {
      observer.closeLine()
      guard isFirst else { throw ExitCode(Self.stoppedStatus) }
      throw show(stopped, signal: received.withLock { $0 })
    }
  }

  /// Reports a stopped run.
  /// - Returns: The exit status.
  private func show(_ stopped: RunStopped, signal: Int32) -> ExitCode {
    var message =
      stopped.steps == 0
      ? "Stopped before the first step"
      : "Stopped after step \(Figures.count(stopped.step))"
        + (stopped.steps.map { " of \(Figures.count($0))" } ?? "")
    let status = stopped.output == nil ? 128 + signal : Self.stoppedStatus
    if let saved = stopped.output {
      let option = output == nil ? "--output \(saved) " : ""
      // A pipe is at another place by then.
      let next =
        data.data?.hasSuffix(":-") ?? false
        ? " and the same stream, or with --resume --continue for what comes next" : ""
      message += ". To continue, run the same command with \(option)--resume\(next)."
    } else {
      message +=
        stopped.steps == 0 ? ". Nothing was saved." : ". Nothing was saved, because of --output none."
    }
    guard case .json = Console.form else {
      Console.error(message)
      return ExitCode(status)
    }
    var line = ProgressLine(.stopped, message: message)
    (line.stepsDone, line.steps, line.output, line.status) = (
      stopped.step, stopped.steps, stopped.output, status
    )
    Console.write(line)
    return ExitCode(status)
  }

  /// Reports what the run waits for.
  private static func showWait(_ message: String, seconds: Double) {
    guard case .json = Console.form else {
      // On a terminal the cursor is at the end of the status line.
      if Console.isLive { Console.status("\r\u{1B}[2K") }
      return Console.note(message)
    }
    var line = ProgressLine(.waiting, message: message)
    line.seconds = (seconds * 1_000).rounded() / 1_000
    Console.write(line)
  }

  private func writeFinished(_ result: RunResult, in folder: String?) {
    var line = ProgressLine(.finished)
    (line.result, line.output) = (result, folder)
    Console.write(line)
  }

  /// The exit status of a run that was stopped and saved: EX_TEMPFAIL, since the same command with `--resume` continues it.
  static let stoppedStatus: Int32 = 75

  /// The output folder of `--output`; `nil` without one, or if nothing is written.
  var folder: String? { output == DefaultOutput.nothing ? nil : output }

  private func show(_ result: RunResult, in folder: String?) throws {
    let page = writesReport ? folder.flatMap(writePage) : nil
    if json {
      try Console.result(progress == .json ? JSON.line(result) : JSON.text(result))
    } else if progress != .json {
      try Console.result(ResultText(result: result).summary)
      if let folder { try Console.result("results    \(folder)/result.json") }
      if let page { try Console.result("report     \(page)") }
    }
  }

  /// Writes the page about the run, without images. The run is complete without it.
  /// - Returns: Its path.
  private func writePage(in folder: String) -> String? {
    let path = "\(folder)/\(RunFiles.pageName)"
    do {
      let memory = MemoryLocation(directory: method.memoryDirectory, key: method.memoryKey)
      try RunPage(RunView(of: folder, at: memory), pictures: 0).write(to: path)
      return path
    } catch {
      Console.note("The page about the run was not written: \(error)")
      return nil
    }
  }

  /// The checkpoint interval, and the number of checkpoints to keep.
  func checkpointPlan() throws -> CheckpointPlan {
    try checkKeptCheckpoints()
    let interval = try checkpointEvery.map { try CheckpointInterval($0) }
    guard output != DefaultOutput.nothing || interval == nil else {
      throw OnePassError.checkpointsWithoutOutput()
    }
    return CheckpointPlan(every: interval, kept: keptCheckpoints, keepsState: keepsState)
  }

  func checkKeptCheckpoints() throws {
    try OptionRange.between(1, 4_096).check("--keep-checkpoints", keptCheckpoints)
  }
}
