import OnePass

/// Where a cell of a grid stands.
package enum CellState: Sendable {
  case waiting
  case running(CellProgress)
  /// Its record is there: made now, or by an earlier run of the grid.
  case done(CellResult)
  /// It did not come to an end; the sentence says why.
  case failed(String)
}

/// How far a running cell has come.
package struct CellProgress: Sendable {
  /// The share of its training that is done, 0 … 1.
  package var share = 0.0
  package var imagesPerSecond = 0.0
  /// The mean loss of its last incoming mini-batch, in nats; `nil` before the first.
  package var loss: Double?
  package var isEvaluating = false
}

/// What a finished cell came to.
package struct CellResult: Sendable {
  /// Top-1, 0 … 1; `nil` where nothing was evaluated.
  package var top1: Double?
  /// Seconds that it took.
  package var seconds: Double
  /// Whether it was made by this run of the grid.
  package var isNew: Bool
  /// Whether it was trained to its planned end.
  package var isWhole = true
}
