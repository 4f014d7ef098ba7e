import OnePassCore
import OnePassReplay

extension RunConfiguration {
  /// Checks the values of all options and their combinations, before any data is read.
  ///
  /// An option that was set although it has no effect is refused, whatever its value.
  /// - Throws: `OnePassError` (`usage`) that names the first impossible option.
  public func validate() throws {
    try validateValues()
    if let (name, obstacle) = idleOptions.first {
      throw OnePassError.optionWithoutEffect("--\(name)", obstacle)
    }
    try checkRecipe()
    try check(
      !machine.cudaGraphs || step.updates == .sequential || method != .replay, .graphsOfJointUpdates)
    try check(data.openClasses == nil || !machine.cudaGraphs, .openClassesWithGraphs)
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
    try check(
      !recipe.schedule.coolsDown || recipe.warmUp + recipe.coolDown <= 1,
      .rampsExceedRun(warmUp: recipe.warmUp, coolDown: recipe.coolDown))
    try check(
      recipe.schedule != .onDemand || method != .multiEpoch, .onDemandWithSeveralPasses)
    try check(
      recipe.mixing == .none || method != .replay || replay.priorityTiming != .refreshed,
      .refreshedPrioritiesOfMixedImages(recipe.mixing.rawValue))
  }

  private func check(_ condition: Bool, _ error: @autoclosure () -> OnePassError) throws {
    if !condition { throw error() }
  }
}
