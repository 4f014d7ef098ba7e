import OnePassCore

/// When a run ends: with its plan, or after a cool-down that it was asked for.
///
/// All ranks are asked together, so that they end together.
struct RunEnd {
  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  /// What was asked for, once it was.
  private(set) var coolDown: CoolDown?
  private var wasAsked = false

  /// - Parameter coolDown: That of the run that goes on.
  init(_ configuration: RunConfiguration, _ plan: TrainingPlan, coolDown: CoolDown? = nil) {
    self.configuration = configuration
    self.plan = plan
    self.coolDown = coolDown
  }

  /// The steps of the whole run.
  var steps: Int { coolDown?.lastStep ?? plan.steps }

  /// Has the run cool down from here, if its schedule can.
  /// - Parameters:
  ///   - steps: The steps that are done.
  ///   - updates: The updates that are made.
  ///   - feed: Where the examples come from, of which the next step's are taken. The run goes on until all that it has taken
  ///     are trained, and then takes no others.
  /// - Returns: What the user should know. Asked again, a run changes nothing and says nothing.
  mutating func coolDown(afterStep steps: Int, updates: Int, feed: inout any ExampleFeed) -> String? {
    guard !wasAsked, coolDown == nil, steps < plan.steps, updates < plan.updates else { return nil }
    wasAsked = true
    guard configuration.recipe.schedule == .onDemand else {
      return
        "A run with --schedule \(configuration.recipe.schedule.rawValue) cannot be ended before its time, and goes on: only "
        + "--schedule on-demand cools down when it is asked."
    }
    guard let wanted = configuration.learningRateSchedule.coolDown(after: updates, of: plan.updates) else {
      return "The run is cooling down already: it ends as planned, after step \(Figures.count(plan.steps))."
    }
    // Whole steps, as many as it takes.
    var (last, taken) = (steps, 0)
    let waiting = feed.waiting
    while last < plan.steps, taken < wanted || (last - steps - 1) * configuration.recipe.batchSize < waiting {
      taken += configuration.updates(ofStep: last, of: plan.steps)
      last += 1
    }
    let begun = CoolDown(stepsBefore: steps, steps: last - steps, updatesBefore: updates, updates: taken)
    begun.end(&feed, batchSize: configuration.recipe.batchSize)
    coolDown = begun
    return
      "Cooling down over \(Figures.count(taken, "update")): the run ends after step \(Figures.count(last)) of "
      + "\(Figures.count(plan.steps)) that were planned."
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
  fileprivate func updates(ofStep step: Int, of steps: Int) -> Int {
    guard method == .replay, self.step.updates == .sequential else { return 1 }
    return 1 + replay.course.replays(at: step, of: steps, average: replay.steps)
  }
}
