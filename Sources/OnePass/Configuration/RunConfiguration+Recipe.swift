import OnePassCore

// The training recipe beyond the paper's: what `RecipeOptions` of the command line sets.
extension RunConfiguration {
  /// The course of the learning rates.
  var learningRateSchedule: LearningRateSchedule {
    LearningRateSchedule(schedule, warmUp: warmUp, coolDown: coolDown)
  }

  /// - Throws: `OnePassError` (`usage`) naming the first option of the recipe that cannot mean anything.
  func validateRecipe() throws {
    func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
      if !condition { throw OnePassError(.usage, sentence()) }
    }
    try require(
      muonLearningRate > 0 && muonLearningRate.isFinite,
      "--muon-learning-rate \(muonLearningRate) is not possible: give a positive number.")
    try require(
      muonWeightDecay >= 0 && muonWeightDecay.isFinite,
      "--muon-weight-decay \(muonWeightDecay) is not possible: give 0 or more.")
    for (name, share) in [("--warm-up", warmUp), ("--cool-down", coolDown)] {
      try require(
        (0...1).contains(share), "\(name) \(share) is not possible: give a share of the updates, from 0 to 1."
      )
    }
    try require(
      !schedule.coolsDown || warmUp + coolDown <= 1,
      "--warm-up \(warmUp) and --cool-down \(coolDown) are more than the whole run: give at most 1 together.")
    try require(
      schedule != .onDemand || method != .multiEpoch,
      "--schedule on-demand is for a stream that passes once, and --method multi-epoch keeps all data: use trapezoid."
    )
    try require(
      (0..<1).contains(weightAverage),
      "--weight-average \(weightAverage) is not possible: give 0 (none) or more, and less than 1.")
    // Records of earlier versions still have these two.
    try require(
      progressiveResolution == 1,
      "--progressive-resolution was removed: training images have the full side. Leave it out.")
    try require(
      !reestimateBatchNorm,
      "--reestimate-batch-norm was removed: running statistics are those of the training. Leave it out.")
    try require(
      (0..<1).contains(labelSmoothing),
      "--label-smoothing \(labelSmoothing) is not possible: give 0 (none) or more, and less than 1.")
    try require(
      (0..<1).contains(storedPredictions),
      "--stored-predictions \(storedPredictions) is not possible: give 0 (none) or more, and less than 1.")
    try require(
      storedPredictions == 0 || method == .replay,
      "--stored-predictions is for a replay memory, and --method \(method.rawValue) has none: leave it out.")
    try require(
      (mixingAlpha ?? 1) > 0 && (mixingAlpha ?? 1).isFinite,
      "--mixing-alpha \(mixingAlpha ?? 0) is not possible: give a positive number.")
    guard mixing != .none else { return }
    try require(
      method != .naive,
      "--mixing \(mixing.rawValue) is for images that were trained before, and --method naive trains each once: "
        + "leave it out.")
    try require(
      method != .replay || priorityTiming != .refreshed,
      "--priority-timing refreshed takes priorities from replayed images, and --mixing \(mixing.rawValue) mixes those: "
        + "leave one of the two out.")
  }

  /// The classes over which the memory keeps predictions, where it keeps any.
  func predictedClasses(of plan: TrainingPlan) -> Int? { storedPredictions > 0 ? plan.classes : nil }

  /// The recipe with fixed values for what the rest of it does not use.
  var withEssentialRecipe: RunConfiguration {
    var essence = self
    let standard = RunConfiguration(data: data)
    if optimiser != .muon {
      (essence.muonLearningRate, essence.muonWeightDecay) = (
        standard.muonLearningRate, standard.muonWeightDecay
      )
    }
    if weightDecay == 0 { essence.weightDecayOn = .all }
    if !schedule.coolsDown { essence.coolDown = standard.coolDown }
    essence.mixingAlpha = mixing == .none ? nil : mixingAlpha ?? mixing.standardAlpha
    return essence
  }

  /// This run with the other's recipe, its rates and mini-batches included.
  package func withRecipe(of other: RunConfiguration) -> RunConfiguration {
    var changed = self
    (changed.batchSize, changed.learningRate) = (other.batchSize, other.learningRate)
    (changed.momentum, changed.optimiser) = (other.momentum, other.optimiser)
    (changed.weightDecay, changed.weightDecayOn) = (other.weightDecay, other.weightDecayOn)
    (changed.muonLearningRate, changed.muonWeightDecay) = (other.muonLearningRate, other.muonWeightDecay)
    (changed.schedule, changed.warmUp, changed.coolDown) = (other.schedule, other.warmUp, other.coolDown)
    (changed.weightAverage, changed.reestimateBatchNorm) = (other.weightAverage, other.reestimateBatchNorm)
    (changed.labelSmoothing, changed.mixing) = (other.labelSmoothing, other.mixing)
    (changed.mixingAlpha, changed.blurPool) = (other.mixingAlpha, other.blurPool)
    changed.progressiveResolution = other.progressiveResolution
    return changed
  }

  /// What differs from the paper's recipe, in words.
  var recipeWords: [String] {
    var words: [String] = []
    if optimiser == .muon { words.append("Muon") }
    if schedule != .cosine { words.append("\(schedule.rawValue) learning rate") }
    if warmUp > 0 { words.append("\(Figures.short(100 * warmUp))% warm-up") }
    if weightAverage > 0 { words.append("weights averaged by \(weightAverage)") }
    if blurPool { words.append("blur pool") }
    if progressiveResolution < 1 {
      words.append("images growing from \(Figures.short(100 * progressiveResolution))% of the side")
    }
    if reestimateBatchNorm { words.append("batch norm re-estimated") }
    if labelSmoothing > 0 { words.append("labels smoothed by \(labelSmoothing)") }
    if mixing != .none { words.append("\(mixing.rawValue) of what was seen before") }
    return words
  }
}
