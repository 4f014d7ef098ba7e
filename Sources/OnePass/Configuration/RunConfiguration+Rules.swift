import OnePassCore
import OnePassReplay

extension RunConfiguration {
  /// Refuses options that cannot mean anything, by themselves or together, before any data is touched.
  /// - Throws: `OnePassError` (`usage`) naming the first such option.
  public func validate() throws {
    try validateValues()
    try checkRecipe()
    try checkMemory()
    try checkAugmentation()
    try check(
      data.shuffleBuffer == nil || method != .multiEpoch,
      "--shuffle-buffer is for a stream that passes once, and --method multi-epoch shuffles each pass: leave it out."
    )
    try check(
      !machine.cudaGraphs || step.updates == .sequential || method != .replay,
      "--cuda-graphs records the update on one mini-batch, and --updates joint makes one on several: "
        + "leave one of the two out.")
    try check(
      !(replay.priority.followsReplays && replay.priorityTiming != .refreshed && method == .replay),
      "--priority \(replay.priority.rawValue) follows the losses that items have when they are replayed: "
        + "give --priority-timing refreshed as well.")
    try check(
      !(replay.importanceWeights && memory.drawing.mixesOrderWithChance && method == .replay),
      "--drawing \(memory.drawing.rawValue) chooses partly by an order, and such a draw has no probability to weight by: "
        + "give --no-importance-weights, or mix selectors that go by chance.")
  }

  /// Refuses values that cannot mean anything, each by itself.
  /// - Throws: `OnePassError` (`usage`) naming the first such option.
  package func validateValues() throws {
    for place in places { try place.option.check() }
  }

  private func checkRecipe() throws {
    let (recipe, mixing) = (recipe, "--mixing \(recipe.mixing.rawValue)")
    try check(
      !recipe.schedule.coolsDown || recipe.warmUp + recipe.coolDown <= 1,
      "--warm-up \(recipe.warmUp) and --cool-down \(recipe.coolDown) are more than the whole run: give at most 1 together."
    )
    try check(
      recipe.schedule != .onDemand || method != .multiEpoch,
      "--schedule on-demand is for a stream that passes once, and --method multi-epoch keeps all data: use trapezoid."
    )
    try check(
      recipe.mixing == .none || method != .naive,
      "\(mixing) is for images that were trained before, and --method naive trains each once: leave it out.")
    try check(
      recipe.mixing == .none || method != .replay || replay.priorityTiming != .refreshed,
      "--priority-timing refreshed takes priorities from replayed images, and \(mixing) mixes those: "
        + "leave one of the two out.")
  }

  private func checkMemory() throws {
    for (option, isGiven) in [
      ("--memory-directory", memory.directory != nil), ("--time-to-live", memory.timeToLive != nil),
      ("--stored-predictions", memory.storedPredictions != 0),
    ] {
      try check(
        !isGiven || method == .replay,
        "\(option) is for a replay memory, and --method \(method.rawValue) has none: leave it out.")
    }
    for (what, isGiven) in [
      ("--memory-size is for images that are resized for the memory", memory.imageSize != nil),
      ("--memory-quality is for images that are encoded for the memory", memory.quality != nil),
      ("--incoming-form stored is for a memory whose images lose something", step.incomingForm == .stored),
    ] {
      try check(
        !isGiven || memory.encoding == .resized, "\(what): say --memory-encoding resized, or leave it out.")
    }
  }

  private func checkAugmentation() throws {
    let choice = augmentation.choice
    try check(
      choice.isStandard || method != .naive,
      "--augmentation is for images that are cropped at random, and --method naive takes the centre: leave it out."
    )
    try check(
      augmentation.magnitude == nil || choice.policy != nil,
      "--augmentation-magnitude is for rand and trivial: say --augmentation rand, or leave it out.")
    try check(
      augmentation.growth == 1 || !choice.isStandard,
      "--augmentation-growth is for an augmentation: say --augmentation rand, or leave it out.")
  }

  private func check(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
    if !condition { throw OnePassError(.usage, sentence()) }
  }
}
