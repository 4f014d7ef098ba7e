import Foundation
import OnePassReplay

extension RunConfiguration {
  /// The method in a few words: `prioritised replay, k = 3, 10% storage, literal α`.
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

  /// The network, and with what it began: `resnet18`, `resnet18 from weights.safetensors`.
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

  /// The storage as people read it: `10%`, `1.0 MB`.
  package var storageTitle: String {
    if case .bytes(let count) = memory.storage { "\(count)" } else { "\(memory.storage)" }
  }

  /// What differs from the paper in a group that does anything, in words.
  private func deviations(in group: any RunOptionGroup) -> [String] {
    guard type(of: group).applies.holds(self) else { return [] }
    return OptionPlace.all(in: group).compactMap { $0.option.deviation(in: self) }
  }
}
