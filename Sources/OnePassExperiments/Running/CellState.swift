import OnePass

/// The state of a cell of a grid.
package enum CellState: Sendable {
  /// Not started yet, or interrupted.
  case waiting
  /// Training or evaluating.
  case running(CellProgress)
  /// The record exists, from this run of the grid or an earlier one.
  case done(CellResult)
  /// The cell has no usable record; the text is the reason.
  case failed(String)
}

/// The progress of a running cell.
package struct CellProgress: Sendable {
  /// The completed share of the training, 0 … 1.
  package var share = 0.0
  /// Trained images per second; 0 before the first step.
  package var imagesPerSecond = 0.0
  /// The mean loss of the last incoming mini-batch in nats; `nil` before the first.
  package var loss: Double?
  /// Whether training is over and the evaluation runs.
  package var isEvaluating = false
}

/// The outcome of a finished cell.
package struct CellResult: Sendable {
  /// Top-1 accuracy, 0 … 1; `nil` without an evaluation.
  package var top1: Double?
  /// The wall time in seconds.
  package var seconds: Double
  /// Whether this run of the grid trained the cell.
  package var isNew: Bool
  /// Whether the cell was trained to its planned end, without an early cool-down.
  package var isWhole = true
}
