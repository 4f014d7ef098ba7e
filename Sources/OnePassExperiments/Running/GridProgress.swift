import OnePass
import OnePassCore

/// The progress of a grid: the state of each cell, and an estimate of the remaining time.
package struct GridProgress: Sendable {
  /// All cells of the grid.
  package let cells: [GridCell]
  /// The state of each cell, in the order of ``cells``.
  package private(set) var states: [CellState]
  /// The maximum number of cells that run at the same time.
  package let parallel: Int
  /// Sums over the finished cells: wall time in seconds, and work in passes over the stream.
  private var secondsSpent = 0.0
  private var workDone = 0.0

  init(_ cells: [GridCell], parallel: Int) {
    self.cells = cells
    self.parallel = parallel
    states = cells.map { _ in .waiting }
  }

  /// The number of cells with a record.
  package var doneCount: Int { states.count { if case .done = $0 { true } else { false } } }
  /// The number of cells that this run of the grid has trained.
  package var newCount: Int {
    states.count { if case .done(let result) = $0 { result.isNew } else { false } }
  }
  /// The number of running cells.
  package var runningCount: Int { states.count { if case .running = $0 { true } else { false } } }
  /// The failed cells with the reason of each.
  package var failures: [(cell: GridCell, reason: String)] {
    zip(cells, states).compactMap { if case .failed(let reason) = $1 { ($0, reason) } else { nil } }
  }

  /// The next cell to start.
  var nextWaiting: Int? { states.firstIndex { if case .waiting = $0 { true } else { false } } }

  mutating func set(_ index: Int, _ state: CellState) { states[index] = state }

  mutating func update(_ index: Int, with line: ProgressLine) {
    guard case .running(var progress) = states[index] else { return }
    if let step = line.step {
      progress.share = Double(step.step) / Double(max(1, step.steps))
      progress.imagesPerSecond = Double(step.examplesTrained) / max(step.seconds, 1e-9)
      progress.loss = step.loss
    }
    progress.isEvaluating = line.event == .evaluated
    states[index] = .running(progress)
  }

  /// Adds a finished cell to the estimate of the remaining time.
  mutating func learn(from index: Int, seconds: Double) {
    secondsSpent += seconds
    workDone += work(of: cells[index])
  }

  /// The estimated wall time in seconds until the last cell ends; `nil` before the first cell has ended.
  ///
  /// Work is measured in passes over the stream, since the cells of a grid usually share the stream and the model.
  package var secondsLeft: Double? {
    guard workDone > 0 else { return nil }
    var left = 0.0
    var longest = 0.0
    for (cell, state) in zip(cells, states) {
      let share: Double
      switch state {
      case .waiting: share = 1
      case .running(let progress): share = 1 - progress.share
      case .done, .failed: continue
      }
      left += work(of: cell) * share
      longest = max(longest, work(of: cell) * share)
    }
    // At the end fewer cells than `parallel` run, so the longest one is a lower bound.
    return secondsSpent / workDone * max(left / Double(parallel), longest)
  }

  /// Passes over the stream for the training, plus 0.3 for the evaluation.
  private func work(of cell: GridCell) -> Double {
    let configuration = cell.configuration
    let passes: Int
    switch configuration.method {
    case .naive: passes = 1
    case .replay: passes = 1 + configuration.replay.steps
    case .multiEpoch: passes = configuration.epochs
    }
    return Double(passes) + 0.3
  }
}
