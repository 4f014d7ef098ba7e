import Foundation
import OnePass
import OnePassCore
import OnePassData

/// Runs the cells of a grid as separate `onepass train` processes, and skips cells with a record.
package struct GridRunner {
  /// The outcome of a grid.
  package struct Outcome: Sendable {
    /// The final state of all cells.
    package let progress: GridProgress
    /// The signal that interrupted the grid.
    package let interruption: Int32?
    /// Whether the grid stopped early because a cell could not be started or written.
    package let isBlocked: Bool
  }

  private enum Signal: Sendable {
    case cell(Int, CellProcess.Signal)
    case signalled(Int32)
  }

  /// Statuses of failures that the other cells would have as well.
  private static let blocking = [OnePassError.Code.io.exitStatus, OnePassError.Code.unavailable.exitStatus]

  private let grid: Grid
  private let folder: ExperimentFolder
  private let program: URL
  private let parallel: Int
  private let cores: Int

  /// A runner for a grid in a folder.
  /// - Parameters:
  ///   - grid: The cells.
  ///   - folder: The folder of the experiment.
  ///   - program: The `onepass` executable that trains the cells.
  ///   - parallel: The number of cells that run at the same time, at least 1.
  ///   - cores: The number of cores that these cells share.
  package init(
    _ grid: Grid, in folder: ExperimentFolder, program: URL, parallel: Int,
    cores: Int = AvailableProcessors.current.count
  ) {
    precondition(parallel >= 1, "parallel must be at least 1.")
    self.grid = grid
    self.folder = folder
    self.program = program
    self.parallel = parallel
    self.cores = cores
  }

  /// Runs the cells without a record.
  ///
  /// SIGINT and SIGTERM end the running cells and then the grid. SIGUSR1 is forwarded to the running cells.
  /// - Parameter observe: Called on this thread after every change, and twice a second.
  /// - Throws: `OnePassError` (`io`) if `commands.sh` cannot be written.
  package func run(observe: (GridProgress) -> Void) throws -> Outcome {
    var progress = GridProgress(grid.cells, parallel: parallel)
    takeStock(&progress)
    observe(progress)

    let signals = SignalQueue<Signal>()
    let watched = [SIGINT, SIGTERM, SIGUSR1]
    Self.unblock(watched)
    let watch = SignalWatch(watched) { signals.send(.signalled($0)) }
    defer { watch.cancel() }
    var running: [Int: CellProcess] = [:]
    // Cells that have reported progress, and cells that get SIGUSR1 once they have.
    var (heard, toCoolDown): (Set<Int>, Set<Int>) = ([], [])
    var interruption: Int32?
    // Set when a cell could not be started or written: all later cells would fail in the same way.
    var isBlocked = false
    while true {
      while interruption == nil, !isBlocked, running.count < parallel, let index = progress.nextWaiting {
        do {
          running[index] = try start(index) { signals.send(.cell(index, $0)) }
          progress.set(index, .running(CellProgress()))
        } catch {
          progress.set(index, .failed("\(error)"))
          isBlocked = true
        }
      }
      observe(progress)
      if running.isEmpty { break }
      switch signals.receive(within: 0.5) {
      case .cell(let index, .progress(let line)):
        progress.update(index, with: line)
        heard.insert(index)
        if toCoolDown.remove(index) != nil { running[index]?.coolDown() }
      case .cell(let index, .ended(let status, let byItself, let lastWords)):
        running[index] = nil
        let ending = state(of: index, status, byItself, lastWords)
        // An interrupted cell has saved a checkpoint, and is resumed by the next run of the grid.
        if interruption != nil, case .failed = ending {
          progress.set(index, .waiting)
        } else {
          progress.set(index, ending)
        }
        isBlocked = isBlocked || (byItself && Self.blocking.contains(status))
        if case .done(let result) = progress.states[index] {
          if result.isWhole { progress.learn(from: index, seconds: result.seconds) }
          try folder.record(GridCell.command(arguments(of: index)))
        }
      case .signalled(SIGUSR1):
        toCoolDown.formUnion(running.keys.filter { !heard.contains($0) })
        for (index, process) in running where heard.contains(index) { process.coolDown() }
      case .signalled(let number):
        interruption = number
        for process in running.values { process.terminate() }
      case nil: break
      }
    }
    observe(progress)
    return Outcome(progress: progress, interruption: interruption, isBlocked: isBlocked)
  }

  /// Finds existing records.
  private func takeStock(_ progress: inout GridProgress) {
    for (index, cell) in grid.cells.enumerated() {
      switch folder.presence(of: cell) {
      case .absent: break
      case .unusable(let reason): progress.set(index, .failed(reason))
      case .present(let result):
        progress.set(
          index, .done(CellResult(top1: result.accuracy?.top1, seconds: result.wallSeconds, isNew: false)))
        if result.machine == .current, result.coolDown == nil {
          progress.learn(from: index, seconds: result.wallSeconds)
        }
      }
    }
  }

  private func start(_ index: Int, send: @escaping @Sendable (CellProcess.Signal) -> Void) throws
    -> CellProcess
  {
    folder.clean(grid.cells[index])
    // OpenMP threads that spin while they wait would starve the other cells.
    var variables = parallel > 1 ? ["OMP_WAIT_POLICY": "passive"] : [:]
    let arguments = Self.hidingSecrets(arguments(of: index), in: &variables)
    return try CellProcess(
      program: program, arguments: ["train"] + arguments + ["--resume", "--progress=json", "--no-report"],
      variables: variables,
      send: send)
  }

  /// Moves sources with a password or a signature to the environment, since every user of the machine can read a command line.
  static func hidingSecrets(_ arguments: [String], in variables: inout [String: String]) -> [String] {
    arguments.map { argument in
      for (option, variable) in [("--data=", "ONEPASS_DATA"), ("--eval-data=", "ONEPASS_EVAL_DATA")]
      where argument.hasPrefix(option) && SourceRegistry.withoutSecrets(argument) != argument {
        variables[variable] = String(argument.dropFirst(option.count))
        return option + SourceRegistry.environmentPrefix + variable
      }
      return argument
    }
  }

  /// The arguments of `onepass train` for a cell.
  private func arguments(of index: Int) -> [String] {
    let cell = grid.cells[index]
    // A memory directory belongs to one run, so each cell gets a subfolder. A key file is open in one run at a time.
    var arguments = cell.arguments.map { argument in
      argument.hasPrefix("--memory-directory=")
        ? "\(argument)/\(cell.name)"
        : argument.hasPrefix("--memory-key=") ? "\(argument).\(cell.name)" : argument
    }
    // Curves suffice to compare many runs. Logged images would be copied once per run.
    if !arguments.contains(where: { $0.hasPrefix("--log=") }) {
      arguments.append("--log=tensorboard")
    }
    if parallel > 1 {
      let share = "\(max(1, cores / parallel))"
      if cell.configuration.machine.threads == nil { arguments.append("--threads=\(share)") }
      if cell.configuration.machine.decodeThreads == nil { arguments.append("--decode-threads=\(share)") }
    }
    return arguments + ["--output", folder.location(of: cell)]
  }

  /// The state of a cell whose process has ended, from its record.
  private func state(of index: Int, _ status: Int32, _ byItself: Bool, _ lastWords: String) -> CellState {
    guard byItself else { return .failed(CellFailure.signal(status)) }
    guard status == 0 else {
      let words = lastWords.hasPrefix("Error: ") ? String(lastWords.dropFirst(7)) : lastWords
      return .failed(words.isEmpty ? CellFailure.status(status) : words)
    }
    switch folder.presence(of: grid.cells[index]) {
    case .present(let result):
      return .done(
        CellResult(
          top1: result.accuracy?.top1, seconds: result.wallSeconds, isNew: true,
          isWhole: result.coolDown == nil))
    case .absent: return .failed(CellFailure.noRecord)
    case .unusable(let reason): return .failed(reason)
    }
  }

  /// Unblocks signals: cells inherit the mask of this thread, and must be terminable by a signal.
  private static func unblock(_ numbers: [Int32]) {
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in numbers { sigaddset(&mask, number) }
    pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  }
}
