// Requests to a run while it trains. A new kind of request is a member of `StepRequests` and a line in `answer`.
extension TrainingLoop {
  /// Carries out the requests to any rank, on every rank alike. Observers stop and save.
  /// - Parameter step: Completed steps, including this one.
  /// - Returns: A notice for the user.
  mutating func answer(_ requests: StepRequests, afterStep step: Int) -> String? {
    requests.coolDown ? coolDown(afterStep: step) : nil
  }

  /// Skips a mini-batch without an image to train on: all are broken, or no example has arrived yet. Requests are still
  /// answered.
  mutating func pass(over batch: IncomingBatch) throws -> StepRecord {
    let steps = position.steps + (batch.arrivals.isEmpty ? 0 : 1)
    let requests = try ranks.agreed(on: requests(steps))
    let notice = answer(requests, afterStep: steps)
    return position.pass(over: batch, steps: steps, requests, notice: notice)
  }

  /// Ends the run early, if its schedule supports it.
  private mutating func coolDown(afterStep step: Int) -> String? {
    let answer = position.coolDown(
      afterStep: step, updates: updates.learner.updatesMade, waiting: incoming.waiting)
    if let begun = answer.begun {
      incoming.end(with: begun)
      updates.learner.coolDown = begun
    }
    return answer.notice
  }
}
