import Foundation
import OnePassReplay

extension RunConfiguration {
  /// The method and its deviations from the paper, as `prioritised replay, k = 3, 10% storage, literal α`.
  public var title: String {
    let method =
      switch method {
      case .naive: "naive one-pass"
      case .multiEpoch: "multi-epoch, \(epochs) \(epochs == 1 ? "pass" : "passes")"
      case .replay: replayTitle
      }
    let groups: [any RunOptionGroup] = [replay, memory, step, augmentation, data, recipe]
    return ([method] + groups.flatMap(deviations)).joined(separator: ", ")
  }

  /// The model and the file of its initial weights, as `resnet18 from weights.safetensors`.
  public var modelTitle: String {
    model.initialise.map { "\(model.name) from \(URL(fileURLWithPath: $0).lastPathComponent)" } ?? model.name
  }

  private var replayTitle: String {
    let kind =
      switch replay.priority {
      case .loss: "prioritised replay"
      case .uniform: "uniform replay"
      case .learnability: "replay by learnability"
      case .pruning: "replay with pruning"
      case .own(let name): "replay by \(name)"
      }
    return "\(kind), k = \(replay.steps), \(storageTitle) storage"
  }

  /// The capacity of the memory, as `10%` or `1.0 MB`.
  package var storageTitle: String {
    if case .bytes(let count) = memory.storage { "\(count)" } else { "\(memory.storage)" }
  }

  /// The deviations from the paper in a group of options; empty if the group has no effect.
  private func deviations(in group: any RunOptionGroup) -> [String] {
    OptionPlace.all(in: group, groupApplies: type(of: group).applies)
      .filter { $0.obstacle(in: self) == nil }
      .compactMap { $0.option.deviation(in: self) }
  }
}
