import OnePassCore
import OnePassReplay

extension RunConfiguration {
  /// Checks the values of all options and their combinations, before any data is read.
  /// - Throws: `OnePassError` (`usage`) that names the first impossible option.
  public func validate() throws {
    try validateValues()
    try checkRecipe()
    try checkMemory()
    try checkAugmentation()
    try check(
      data.shuffleBuffer == nil || method != .multiEpoch, .shuffleBufferWithSeveralPasses)
    try check(
      !machine.cudaGraphs || step.updates == .sequential || method != .replay, .graphsOfJointUpdates)
    try check(
      !(replay.priority.followsReplays && replay.priorityTiming != .refreshed && method == .replay),
      .priorityNeedsRefreshing(replay.priority.rawValue))
    try check(
      !(replay.importanceWeights && memory.drawing.mixesOrderWithChance && method == .replay),
      .drawingHasNoProbability(memory.drawing.rawValue))
    try check(
      !(replay.importanceWeights && memory.drawing.balancesClasses && method == .replay),
      .weightsUndoBalancedDraws(memory.drawing.rawValue))
    try check(memory.drawing != .cbrs, .drawingOfEvictions(memory.drawing.rawValue))
  }

  /// Checks each value by itself.
  /// - Throws: `OnePassError` (`usage`) that names the first option with an impossible value.
  package func validateValues() throws {
    for place in places { try place.option.check() }
  }

  private func checkRecipe() throws {
    let mixing = recipe.mixing.rawValue
    try check(
      !recipe.schedule.coolsDown || recipe.warmUp + recipe.coolDown <= 1,
      .rampsExceedRun(warmUp: recipe.warmUp, coolDown: recipe.coolDown))
    try check(
      recipe.schedule != .onDemand || method != .multiEpoch, .onDemandWithSeveralPasses)
    try check(recipe.mixing == .none || method != .naive, .mixingWithoutRepeats(mixing))
    try check(
      recipe.mixing == .none || method != .replay || replay.priorityTiming != .refreshed,
      .refreshedPrioritiesOfMixedImages(mixing))
  }

  private func checkMemory() throws {
    for (option, isGiven) in [
      ("--memory-directory", memory.directory != nil), ("--time-to-live", memory.timeToLive != nil),
      ("--stored-predictions", memory.storedPredictions != 0),
    ] {
      try check(!isGiven || method == .replay, .memoryOptionWithoutReplay(option, method: method))
    }
    for (option, isGiven) in [
      ("--memory-size", memory.imageSize != nil), ("--memory-quality", memory.quality != nil),
      ("--incoming-form stored", step.incomingForm == .stored),
    ] {
      try check(
        !isGiven || memory.encoding == .resized, .optionRequires(option, "--memory-encoding resized"))
    }
  }

  private func checkAugmentation() throws {
    let choice = augmentation.choice
    try check(choice.isStandard || method != .naive, .augmentationOfCentreCrops)
    try check(
      augmentation.magnitude == nil || choice.policy != nil,
      .optionRequires("--augmentation-magnitude", "--augmentation rand or trivial"))
    try check(
      augmentation.growth == 1 || !choice.isStandard,
      .optionRequires("--augmentation-growth", "--augmentation other than standard"))
  }

  private func check(_ condition: Bool, _ error: @autoclosure () -> OnePassError) throws {
    if !condition { throw error() }
  }
}
