import OnePassCore
import OnePassReplay

/// The training loop: naive one-pass training, prioritised replay and multi-epoch training.
///
/// Each call of ``step()`` handles one incoming mini-batch, in the order of the paper: take, draw, decode, train, offer. The
/// loop does not use files, logs or tensors. Saving, logging and reporting are done by ``StepObserver``s.
///
/// A loop belongs to one thread. Results do not depend on the number of decode threads. The division of a mini-batch among
/// ranks affects only the rounding of sums.
///
/// Source: Hu et al. 2021, section 3. The numbers in the comments are the steps of the method in the paper map.
struct TrainingLoop {
  var incoming: IncomingBatches
  /// `nil` for methods without a replay memory.
  var rehearsal: Rehearsal?
  let updates: StepUpdates
  let ranks: Ranks
  var position: LoopPosition
  /// Returns the requests to this process, which are exchanged with the other ranks at the end of each step.
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
  /// - Returns: The record of the step; `nil` at the end of the run.
  /// - Throws: `OnePassError` if the stream fails, too many images are broken, or the loss diverges.
  mutating func step() throws -> StepRecord? {
    position.startClock()
    // 1. Take B examples from the stream. The next B are decoded during this step.
    guard let batch = try incoming.next() else { return nil }
    guard !batch.isEmpty else { return try pass(over: batch) }
    try updates.learner.grow(to: incoming.classes.count)
    position.beginStep()
    let progress = position.progress

    // 2. and 3. Draw k mini-batches from the memory and decode them.
    let horizon = try incoming.horizon()
    let replays = try rehearsal?.draw(at: progress, expiring: horizon) ?? []

    // 4. Train on the incoming mini-batch and on the replayed ones.
    let passes = try updates.train(batch, replays)

    // The only exchange of a step. After it, every rank has the results of all.
    let offered = try rehearsal?.storedForms(of: batch) ?? []
    let outcome = try ranks.outcome(
      of: passes, batch, replays, offered: offered, requests(position.steps + 1))
    try updates.checkConvergence(of: outcome, step: position.steps + 1)
    let notice = answer(outcome.requests, afterStep: position.steps + 1)

    // Update the replayed items (section 4.3), then offer every incoming example, with its priority (5., eq. 1).
    try rehearsal?.update(replays, outcome.replays, progress)
    try rehearsal?.offer(offered, of: batch, outcome, progress)

    return position.advance(
      batch, replays, outcome, updates.learner, memory: rehearsal?.memory, seen: incoming.tally.taken,
      notice: notice)
  }

  /// Checks that the stream had enough intact images. Call it after `step()` has returned `nil`.
  func finish() throws { try incoming.finish() }
}

// MARK: Resuming

extension TrainingLoop {
  /// The state of the loop, except weights, momentum and the memory's contents.
  struct State: Codable {
    var position: LoopPosition.State
    var incoming: IncomingBatches.State
  }

  /// - Precondition: No step is in progress.
  var state: State { State(position: position.state, incoming: incoming.state) }

  /// Continues from the state of another loop.
  /// - Precondition: No step was made. The feed is at the position of that loop's feed.
  mutating func restore(_ state: State) {
    position.restore(state.position)
    incoming.restore(state.incoming, steps: state.position.steps, end: position.end)
  }

  /// Restores the contents of the memory, which must be empty.
  /// - Parameter image: Returns the image of an item. Called on the first rank only.
  mutating func restoreMemory(_ snapshot: MemorySnapshot, image: (Int) throws -> EncodedImage) throws {
    try rehearsal?.restore(snapshot, image: image)
  }

  /// Removes items from the memory.
  mutating func forget(_ ids: Set<Int>) throws { try rehearsal?.forget(ids) }
}
