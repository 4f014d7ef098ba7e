import OnePassCore
import OnePassData
import OnePassReplay

/// What a process was asked to do, or finds due, at the end of a step.
struct StepRequests: Hashable {
  /// Whether it was asked to stop, so that the run can be resumed later.
  var stop = false
  /// Whether it was asked to cool down and end.
  var coolDown = false
  /// Whether it finds that a checkpoint is due. The first rank's answer counts.
  var save = false
}

/// What was found in a step, of all ranks together.
struct StepOutcome {
  /// Of a replayed mini-batch.
  struct Replay {
    /// ℓ_i of each example.
    let losses: [Float]
    /// What the memory is to keep of each prediction; empty where it keeps none.
    let predictions: [StoredPrediction]
  }

  /// ℓ_i of each incoming example that could be decoded.
  let losses: [Float]
  /// How many of them were classified correctly.
  let correct: Int
  /// What the stored form of each takes, in bytes; empty without a memory.
  let storedBytes: [Int]
  /// What the memory is to keep of each prediction; empty where it keeps none.
  let predictions: [StoredPrediction]
  let replays: [Replay]
  let requests: StepRequests

  /// - Parameter ranks: What each rank found of its part, in their order.
  init(_ ranks: [RankOutcome], _ replays: [ReplayBatch]) {
    losses = ranks.flatMap(\.losses)
    correct = ranks.reduce(0) { $0 + $1.correct }
    storedBytes = ranks.flatMap(\.storedBytes)
    predictions = ranks.flatMap(\.predictions)
    self.replays = replays.enumerated().map { index, replay in
      Replay(
        losses: replay.whole(ofEachRank: ranks.map { $0.replayLosses[index] }),
        predictions: replay.whole(ofEachRank: ranks.map { $0.replayPredictions[index] }))
    }
    requests = StepRequests(
      stop: ranks.contains(where: \.requests.stop), coolDown: ranks.contains(where: \.requests.coolDown),
      save: ranks[0].requests.save)
  }
}

extension Ranks {
  /// What any rank was asked to do. An exchange: every rank comes here.
  func agreed(on requests: StepRequests) throws -> StepRequests {
    StepOutcome(try gather([RankOutcome(requests: requests)]), []).requests
  }

  /// Waits for what this rank's forward passes found, and exchanges it with the other ranks.
  /// - Parameters:
  ///   - passes: Those of the step.
  ///   - batch: The incoming mini-batch.
  ///   - replays: The replayed ones.
  ///   - offered: This rank's part of the incoming mini-batch as the memory would keep it.
  ///   - requests: What this process was asked to do.
  func outcome(
    of passes: StepUpdates.Passes, _ batch: IncomingBatch, _ replays: [ReplayBatch], offered: [Example],
    _ requests: StepRequests
  ) throws -> StepOutcome {
    let mine = RankOutcome(
      losses: try passes.incoming.losses(),
      correct: zip(try passes.incoming.classes(), batch.images.labels).count { $0 == $1 },
      storedBytes: offered.map(\.image.byteCount),
      replayLosses: try passes.replays.map { try $0.losses() },
      predictions: try passes.incoming.storedPredictions(),
      replayPredictions: try passes.replays.map { try $0.storedPredictions() }, requests: requests)
    return StepOutcome(try gather([mine]), replays)
  }
}
