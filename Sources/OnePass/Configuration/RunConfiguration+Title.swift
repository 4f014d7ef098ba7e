import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

extension RunConfiguration {
  /// The method in a few words: `prioritised replay, k = 3, 10% storage, literal α`.
  public var title: String {
    let method =
      switch method {
      case .naive: "naive one-pass"
      case .multiEpoch: "multi-epoch, \(epochs) \(epochs == 1 ? "pass" : "passes")"
      case .replay: ([replayTitle] + replayDeviations).joined(separator: ", ")
      }
    let others = [augmentationTitle, shuffleBuffer.map { "shuffle buffer of \($0)" }].compactMap(\.self)
    return ([method] + others + recipeWords).joined(separator: ", ")
  }

  /// The network, and with what it began: `resnet18`, `resnet18 from weights.safetensors`.
  public var modelTitle: String {
    initialise.map { "\(model) from \(URL(fileURLWithPath: $0).lastPathComponent)" } ?? model
  }

  private var replayTitle: String {
    let kind =
      switch priority {
      case .loss: "prioritised replay"
      case .uniform: "uniform replay"
      case .learnability: "replay by learnability"
      case .pruning: "replay with pruning"
      case .own(let name): "replay by \(name)"
      }
    return "\(kind), k = \(replaySteps), \(storageTitle) storage"
  }

  /// The storage as people read it: `10%`, `1.0 MB`.
  package var storageTitle: String {
    if case .bytes(let count) = storage { "\(count)" } else { "\(storage)" }
  }

  /// What differs from the paper's method, in words.
  private var replayDeviations: [String] {
    var words: [String] = []
    if replayCourse == .rising { words.append("k rising") }
    if smoothing == .literal { words.append("literal α") }
    switch priorityTiming {
    case .insertion: break
    case .current: words.append("priorities with the current α")
    case .refreshed where priority.followsReplays: break
    case .refreshed: words.append("priorities refreshed")
    }
    if !importanceWeights { words.append("no importance weights") }
    // With β so large every example of any stream comes in.
    let takesAllIn = recencyBias >= 1e6
    let isWindow = takesAllIn && evicting == .oldest
    if isWindow {
      words.append("window")
    } else if takesAllIn {
      words.append("all taken in")
    } else if recencyBias != 1.5 {
      words.append("β = \(Figures.short(recencyBias))")
    }
    if drawing != .prioritised { words.append("drawing \(drawing.rawValue)") }
    if evicting != .uniform, !isWindow { words.append("evicting \(evicting.rawValue)") }
    if let storedFormTitle { words.append(storedFormTitle) }
    if storedPredictions > 0 { words.append("\(storedPredictions) of targets from stored predictions") }
    if updates == .joint { words.append("joint updates") }
    if incomingView == .centre { words.append("incoming centred") }
    if incomingForm == .stored { words.append("incoming alike") }
    return words
  }
}
