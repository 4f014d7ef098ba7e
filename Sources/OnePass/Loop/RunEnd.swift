import OnePassCore

/// The last step of a run: that of its plan, or that of a requested cool-down.
///
/// A request reaches all ranks at the same step, so that they end together.
struct RunEnd {
  private let configuration: RunConfiguration
  private let plan: TrainingPlan
  /// The requested cool-down, if any.
  private(set) var coolDown: CoolDown?
  private var wasRequested = false

  /// - Parameter coolDown: The cool-down of the resumed run.
  init(_ configuration: RunConfiguration, _ plan: TrainingPlan, coolDown: CoolDown? = nil) {
    self.configuration = configuration
    self.plan = plan
    self.coolDown = coolDown
  }

  /// The number of steps of the whole run.
  var steps: Int { coolDown?.lastStep ?? plan.steps }

  /// Starts a cool-down, if the schedule supports it. Repeated requests have no effect.
  /// - Parameters:
  ///   - steps: Completed steps.
  ///   - updates: Completed updates.
  ///   - waiting: Examples that were read from the stream and are not trained yet. The run lasts until they are trained.
  /// - Returns: The cool-down, if one started, and a notice for the user.
  mutating func coolDown(
    afterStep steps: Int, updates: Int, waiting: Int
  ) -> (begun: CoolDown?, notice: String?) {
    guard !wasRequested, coolDown == nil, steps < plan.steps, updates < plan.updates else {
      return (nil, nil)
    }
    wasRequested = true
    guard configuration.recipe.schedule == .onDemand else {
      return (
        nil,
        "--schedule \(configuration.recipe.schedule.rawValue) does not cool down on request, and the run continues; "
          + "use --schedule on-demand."
      )
    }
    guard let wanted = configuration.learningRateSchedule.coolDown(after: updates, of: plan.updates) else {
      return (
        nil, "The run is already cooling down; it ends as planned after step \(Figures.count(plan.steps))."
      )
    }
    // Whole steps, until both the cool-down and the waiting examples are covered.
    var (last, taken) = (steps, 0)
    while last < plan.steps, taken < wanted || (last - steps - 1) * configuration.recipe.batchSize < waiting {
      taken += configuration.updates(ofStep: last, of: plan.steps)
      last += 1
    }
    let begun = CoolDown(stepsBefore: steps, steps: last - steps, updatesBefore: updates, updates: taken)
    coolDown = begun
    return (
      begun,
      "Cooling down over \(Figures.count(taken, "update")); the run ends after step \(Figures.count(last))"
        + (plan.knownSteps.map { " of the planned \(Figures.count($0))." } ?? ".")
    )
  }
}

extension CoolDown {
  /// Ends a feed at the last step, by which it has yielded all examples that it has read.
  func end(_ feed: inout any ExampleFeed, batchSize: Int) {
    // The examples of the first step were already read at the time of the request.
    feed.end(at: lastStep * batchSize, from: (stepsBefore + 1) * batchSize)
  }
}

extension RunConfiguration {
  /// The number of updates of a step, unless all of its images are broken.
  fileprivate func updates(ofStep done: Int, of steps: Int) -> Int {
    guard method == .replay, step.updates == .sequential else { return 1 }
    return 1 + replay.course.replays(at: done, of: steps, average: replay.steps)
  }
}
