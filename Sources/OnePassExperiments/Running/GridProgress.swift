import OnePass
import OnePassCore

/// The state of a whole grid: which cells are done, running and left, and how long that will take.
package struct GridProgress: Sendable {
  package let cells: [GridCell]
  package private(set) var states: [CellState]
  package let parallel: Int
  /// Seconds that an example of training takes, from the cells that are done: sums, not means.
  private var secondsSpent = 0.0
  private var workDone = 0.0

  init(_ cells: [GridCell], parallel: Int) {
    self.cells = cells
    self.parallel = parallel
    states = cells.map { _ in .waiting }
  }

  package var doneCount: Int { states.count { if case .done = $0 { true } else { false } } }
  /// Cells that this run of the grid has made.
  package var newCount: Int {
    states.count { if case .done(let result) = $0 { result.isNew } else { false } }
  }
  package var runningCount: Int { states.count { if case .running = $0 { true } else { false } } }
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

  /// Lets a finished cell count for the estimate of the time that is left.
  mutating func learn(from index: Int, seconds: Double) {
    secondsSpent += seconds
    workDone += work(of: cells[index])
  }

  /// The wall time until the last cell ends, in seconds; `nil` before the first cell has ended.
  ///
  /// Judged by passes over the stream: the cells of a grid mostly share their stream and their model.
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
    // The last cells have the machine to themselves, so it takes at least as long as the longest of them.
    return secondsSpent / workDone * max(left / Double(parallel), longest)
  }

  /// Passes over the stream: those of the training, and a little for the evaluation.
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
