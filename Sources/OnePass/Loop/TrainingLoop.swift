import OnePassCore
import OnePassReplay

/// The training loop: naive one-pass training, prioritised replay and multi-epoch training.
///
/// Each call of ``step()`` is one incoming mini-batch, in the order of the paper: take, draw, decode, train, offer. The loop
/// knows neither files nor logs nor tensors. Whatever watches a run, saves it or reports it is a ``StepObserver`` of what
/// `step()` returns.
///
/// A loop belongs to one thread. No result depends on the number of decode threads, nor on how a mini-batch is divided among
/// ranks beyond the rounding of its sums.
///
/// Source: Hu et al. 2021, section 3; the numbers are the steps of the method in the paper map.
struct TrainingLoop {
  var incoming: IncomingBatches
  /// `nil` for methods without a replay memory.
  var rehearsal: Rehearsal?
  let updates: StepUpdates
  let ranks: Ranks
  var position: LoopPosition
  /// What this process was asked to do, exchanged with the other ranks at the end of each step.
  var requests: (_ stepsDone: Int) -> StepRequests = { _ in StepRequests() }

  init(
    incoming: IncomingBatches, rehearsal: Rehearsal?, updates: StepUpdates, position: LoopPosition,
    ranks: Ranks
  ) {
    self.incoming = incoming
    self.rehearsal = rehearsal
    self.updates = updates
    self.position = position
    self.ranks = ranks
  }

  /// Trains on the next incoming mini-batch and its replays.
  /// - Returns: What happened; `nil` at the end of the run.
  /// - Throws: `OnePassError` if the stream breaks, holds too many broken images, or the loss diverges.
  mutating func step() throws -> StepRecord? {
    position.startClock()
    // 1. Take B examples from the stream. The next B are decoded while these are trained.
    guard let batch = try incoming.next() else { return nil }
    guard !batch.isEmpty else { return try pass(over: batch) }
    position.beginStep()
    let progress = position.progress

    // 2. and 3. Draw k mini-batches from the memory and decode them.
    let horizon = try incoming.horizon()
    let replays = try rehearsal?.draw(at: progress, expiring: horizon) ?? []

    // 4. Train on the incoming mini-batch and on the replayed ones.
    let passes = try updates.train(batch, replays)

    // One exchange: from here on every rank knows what all of them found.
    let offered = try rehearsal?.storedForms(of: batch) ?? []
    let outcome = try ranks.outcome(
      of: passes, batch, replays, offered: offered, requests(position.steps + 1))
    try updates.checkConvergence(of: outcome, step: position.steps + 1)
    let notice = answer(outcome.requests, afterStep: position.steps + 1)

    // Bring the replayed items up to date (section 4.3), then offer every incoming example to the memory (5., eq. 1).
    try rehearsal?.update(replays, outcome.replays, progress)
    try rehearsal?.offer(offered, of: batch, outcome, progress)

    return position.advance(
      batch, replays, outcome, updates.learner, memory: rehearsal?.memory, seen: incoming.tally.taken,
      notice: notice)
  }

  /// Checks, once `step()` has returned `nil`, that the stream held enough images.
  func finish() throws { try incoming.finish() }
}

// MARK: Resuming

extension TrainingLoop {
  /// Where the loop is, apart from weights, momentum and the memory's contents.
  struct State: Codable {
    var position: LoopPosition.State
    var incoming: IncomingBatches.State
  }

  /// - Precondition: No step is under way.
  var state: State { State(position: position.state, incoming: incoming.state) }

  /// Continues where another loop was.
  /// - Precondition: Nothing was trained. The feed stands where that loop's feed stood.
  mutating func restore(_ state: State) {
    position.restore(state.position)
    incoming.restore(state.incoming, steps: state.position.steps, end: position.end)
  }

  /// Gives the memory, which must be empty, the contents that another one had.
  /// - Parameter image: The image of an item; asked on the first rank only.
  mutating func restoreMemory(_ snapshot: MemorySnapshot, image: (Int) throws -> EncodedImage) throws {
    try rehearsal?.restore(snapshot, image: image)
  }
}
