import OnePassCore
import OnePassModels
import OnePassReplay

/// The parts of the method that a run works with: those that its configuration names, or a program's own.
struct MethodParts {
  let priority: any PriorityFunction
  /// Empty; the memory works with copies.
  let drawing: any ItemSelector
  let evicting: any ItemSelector
  /// Where the model is of a program's own kind.
  let model: ModelKind?

  /// - Parameters:
  ///   - configuration: Names the parts; afterwards a program's own as well.
  ///   - priority: A program's own; the one that the configuration names if `nil`. The same for the others.
  ///   - drawing: Which item a draw chooses.
  ///   - evicting: Which item makes room.
  ///   - model: The kind of the network.
  /// - Throws: `OnePassError` (`usage`) if the configuration names a program's own part that is not there.
  init(
    _ configuration: inout RunConfiguration, priority: (any PriorityFunction)?, drawing: (any ItemSelector)?,
    evicting: (any ItemSelector)?, model: ModelKind?
  ) throws {
    if let priority { configuration.replay.priority = .own(priority.name) }
    if let drawing { configuration.memory.drawing = .own(drawing.name) }
    if let evicting { configuration.memory.evicting = .own(evicting.name) }
    if let model { configuration.model.name = OwnPart.record(of: model.name) }
    func require(_ isThere: Bool, _ record: String, _ option: String) throws {
      guard isThere || OwnPart.name(in: record) == nil else {
        throw OnePassError(
          .usage,
          "--\(option) \(record) is a part of a program's own, which only that program has: start the run there, "
            + "or choose a part of OnePass.")
      }
    }
    try require(priority != nil, configuration.replay.priority.rawValue, "priority")
    try require(drawing != nil, configuration.memory.drawing.rawValue, "drawing")
    try require(evicting != nil, configuration.memory.evicting.rawValue, "evicting")
    try require(model != nil, configuration.model.name, "model")
    self.priority =
      priority ?? configuration.replay.priority.makeFunction(smoothing: configuration.replay.smoothing)
    self.drawing = drawing ?? configuration.memory.drawing.makeSelector()
    self.evicting = evicting ?? configuration.memory.evicting.makeSelector()
    self.model = model
    precondition(
      self.drawing.count == 0 && self.evicting.count == 0, "A run begins with selectors that are empty.")
  }
}
