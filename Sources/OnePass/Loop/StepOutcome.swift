import OnePassCore
import OnePassData
import OnePassReplay

/// Requests to a process, or work that it found due, at the end of a step.
struct StepRequests: Hashable {
  /// Whether to stop, so that the run can be resumed later.
  var stop = false
  /// Whether to cool down and end.
  var coolDown = false
  /// Whether a checkpoint is due. Only the first rank decides.
  var save = false
}

/// The results of a step, over all ranks.
struct StepOutcome {
  /// The results of a replayed mini-batch.
  struct Replay {
    /// ℓ_i of each example.
    let losses: [Float]
    /// The new note of each example; empty if notes do not change.
    let notes: [ItemNote]
  }

  /// ℓ_i of each incoming example that could be decoded.
  let losses: [Float]
  /// The prediction for each, made before it was trained.
  let predictions: [ClassPrediction]
  /// The size of each in the memory's image format, in bytes; empty without a memory.
  let storedBytes: [Int]
  /// The note of each; empty if the memory stores none.
  let notes: [ItemNote]
  let replays: [Replay]
  let requests: StepRequests

  /// The mean loss of the replayed examples, in nats; `nil` without any.
  var meanReplayLoss: Double? {
    let count = replays.reduce(0) { $0 + $1.losses.count }
    guard count > 0 else { return nil }
    return replays.reduce(0) { $1.losses.reduce($0) { $0 + Double($1) } } / Double(count)
  }

  /// - Parameter ranks: The results of each rank's part, in the order of ranks.
  init(_ ranks: [RankOutcome], _ replays: [ReplayBatch]) {
    losses = ranks.flatMap(\.losses)
    predictions = ranks.flatMap(\.predictions)
    storedBytes = ranks.flatMap(\.storedBytes)
    notes = ranks.flatMap(\.notes)
    self.replays = replays.enumerated().map { index, replay in
      Replay(
        losses: replay.whole(ofEachRank: ranks.map { $0.replayLosses[index] }),
        notes: replay.whole(ofEachRank: ranks.map { $0.replayNotes[index] }))
    }
    requests = StepRequests(
      stop: ranks.contains(where: \.requests.stop), coolDown: ranks.contains(where: \.requests.coolDown),
      save: ranks[0].requests.save)
  }
}

extension Ranks {
  /// Returns the requests to any rank. A collective operation: all ranks must call it.
  func agreed(on requests: StepRequests) throws -> StepRequests {
    StepOutcome(try gather([RankOutcome(requests: requests)]), []).requests
  }

  /// Waits for the results of this rank's forward passes, and exchanges them with the other ranks.
  /// - Parameters:
  ///   - passes: The forward passes of the step.
  ///   - batch: The incoming mini-batch.
  ///   - replays: The replayed mini-batches.
  ///   - offered: This rank's part of the incoming mini-batch, in the memory's image format.
  ///   - requests: The requests to this process.
  func outcome(
    of passes: StepUpdates.Passes, _ batch: IncomingBatch, _ replays: [ReplayBatch], offered: [Example],
    _ requests: StepRequests
  ) throws -> StepOutcome {
    let mine = RankOutcome(
      losses: try passes.incoming.losses(),
      predictions: try passes.incoming.predictions(),
      storedBytes: offered.map(\.image.byteCount),
      replayLosses: try passes.replays.map { try $0.losses() },
      notes: try passes.incoming.notes(),
      replayNotes: try passes.replays.map { try $0.notes() }, requests: requests)
    return StepOutcome(try gather([mine]), replays)
  }
}
