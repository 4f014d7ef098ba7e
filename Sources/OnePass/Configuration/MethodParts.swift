import OnePassCore
import OnePassModels
import OnePassReplay

/// The priority function, selectors and model kind of a run: built-in ones by name, or custom ones.
struct MethodParts {
  let priority: any PriorityFunction
  /// Empty; the memory uses copies.
  let drawing: any ItemSelector
  let evicting: any ItemSelector
  /// Only where the model is of a custom kind.
  let model: ModelKind?

  /// - Parameters:
  ///   - configuration: Names the built-in parts. Afterwards it also names the custom ones.
  ///   - priority: A custom priority function; the one named by the configuration if `nil`. The same holds for the others.
  ///   - drawing: The selector for replay.
  ///   - evicting: The selector for eviction.
  ///   - model: The kind of the model.
  /// - Throws: `OnePassError` (`usage`) if the configuration names a custom part that is not passed.
  init(
    _ configuration: inout RunConfiguration, priority: (any PriorityFunction)?, drawing: (any ItemSelector)?,
    evicting: (any ItemSelector)?, model: ModelKind?
  ) throws {
    if let priority { configuration.replay.priority = .own(priority.name) }
    if let drawing { configuration.memory.drawing = .own(drawing.name) }
    if let evicting { configuration.memory.evicting = .own(evicting.name) }
    if let model { configuration.model.name = OwnPart.record(of: model.name) }
    func require(_ isPassed: Bool, _ record: String, _ option: String) throws {
      guard isPassed || OwnPart.name(in: record) == nil else {
        throw OnePassError.customPartMissing(option: option, record: record)
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
      self.drawing.count == 0 && self.evicting.count == 0, "The selectors passed to a run must be empty.")
  }
}
