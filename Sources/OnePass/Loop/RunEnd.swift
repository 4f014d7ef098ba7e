import OnePassCore

/// When a run ends: with its plan, or after a cool-down that it was asked for.
///
/// All ranks are asked together, so that they end together.
struct RunEnd {
  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  /// The cool-down that was asked for, if any.
  private(set) var coolDown: CoolDown?
  private var wasAsked = false

  /// - Parameter coolDown: That of the run that is resumed.
  init(_ configuration: RunConfiguration, _ plan: TrainingPlan, coolDown: CoolDown? = nil) {
    self.configuration = configuration
    self.plan = plan
    self.coolDown = coolDown
  }

  /// The steps of the whole run.
  var steps: Int { coolDown?.lastStep ?? plan.steps }

  /// Begins a cool-down, if the schedule can.
  /// - Parameters:
  ///   - steps: The steps that are done.
  ///   - updates: The updates that are made.
  ///   - waiting: Examples that were taken from the stream and are still to be trained. The run lasts until they are, and
  ///     takes no others.
  /// - Returns: The cool-down, if one began, and what the user should know. Asked again, a run changes nothing and says nothing.
  mutating func coolDown(
    afterStep steps: Int, updates: Int, waiting: Int
  ) -> (begun: CoolDown?, notice: String?) {
    guard !wasAsked, coolDown == nil, steps < plan.steps, updates < plan.updates else { return (nil, nil) }
    wasAsked = true
    guard configuration.recipe.schedule == .onDemand else {
      return (
        nil,
        "A run with --schedule \(configuration.recipe.schedule.rawValue) cannot be ended before its time, and goes on: only "
          + "--schedule on-demand cools down when it is asked."
      )
    }
    guard let wanted = configuration.learningRateSchedule.coolDown(after: updates, of: plan.updates) else {
      return (
        nil, "The run is cooling down already: it ends as planned, after step \(Figures.count(plan.steps))."
      )
    }
    // Whole steps, as many as it takes.
    var (last, taken) = (steps, 0)
    while last < plan.steps, taken < wanted || (last - steps - 1) * configuration.recipe.batchSize < waiting {
      taken += configuration.updates(ofStep: last, of: plan.steps)
      last += 1
    }
    let begun = CoolDown(stepsBefore: steps, steps: last - steps, updatesBefore: updates, updates: taken)
    coolDown = begun
    return (
      begun,
      "Cooling down over \(Figures.count(taken, "update")): the run ends after step \(Figures.count(last)) of "
        + "\(Figures.count(plan.steps)) that were planned."
    )
  }
}

extension CoolDown {
  /// Has a feed give out by the last step what it has taken, and no more.
  func end(_ feed: inout any ExampleFeed, batchSize: Int) {
    // The examples of the first step were taken when it was asked for.
    feed.end(at: lastStep * batchSize, from: (stepsBefore + 1) * batchSize)
  }
}

extension RunConfiguration {
  /// The updates of a step, as long as not all of its images are broken.
  fileprivate func updates(ofStep done: Int, of steps: Int) -> Int {
    guard method == .replay, step.updates == .sequential else { return 1 }
    return 1 + replay.course.replays(at: done, of: steps, average: replay.steps)
  }
}
