// What a run is asked for while it trains. A new kind of request is a member of `StepRequests` and a line in `answer`.
extension TrainingLoop {
  /// Does what any rank was asked for, on every rank alike. Stopping and saving are left to the observers.
  /// - Parameter step: The steps that are done by then.
  /// - Returns: What the user should know.
  mutating func answer(_ requests: StepRequests, afterStep step: Int) -> String? {
    requests.coolDown ? coolDown(afterStep: step) : nil
  }

  /// Passes over a mini-batch without an image to train on: all are broken, or nothing has arrived for now. Requests are heard
  /// all the same.
  mutating func pass(over batch: IncomingBatch) throws -> StepRecord {
    let steps = position.steps + (batch.arrivals.isEmpty ? 0 : 1)
    let requests = try ranks.agreed(on: requests(steps))
    let notice = answer(requests, afterStep: steps)
    return position.pass(over: batch, steps: steps, requests, notice: notice)
  }

  /// Ends the run early, if its schedule allows that.
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
