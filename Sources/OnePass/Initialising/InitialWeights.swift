import Foundation
import OnePassCore
import OnePassModels
import OnePassTorch

/// The weights with which a run begins, of another run or from another program.
struct InitialWeights {
  /// As it was given.
  let path: String
  private let weights: StateDictionary
  /// What all names in the file begin with and the model's do not: `module.`
  private let prefix: String
  /// What the model was, where the file is that of a finished run.
  private let origin: ModelCard?

  /// - Parameter path: A safetensors file, or a folder with one: that of a finished run.
  /// - Throws: `OnePassError`: `io` if there is none, `badData` if it is damaged or no such file.
  init(_ path: String) throws {
    self.path = path
    let file = try Self.file(at: path)
    if let start = try? FileHandle(forReadingFrom: URL(fileURLWithPath: file)).read(upToCount: 16),
      PickledFile.isOne(file, start: Array(start))
    {
      throw PickledFile.refusal(of: file)
    }
    let stored = try StateDictionary(safetensors: file)
    prefix = Self.commonPrefix(of: stored.names)
    let length = prefix.count
    weights = StateDictionary(stored.entries.map { (String($0.name.dropFirst(length)), $0.tensor) })
    origin = Self.card(besides: file)
  }

  /// What a checkpoint says beside its weights.
  private static func card(besides file: String) -> ModelCard? {
    let url = URL(fileURLWithPath: file)
    let files = try? RunFiles(url.deletingLastPathComponent().path)
    guard let files, files.path(of: Checkpoint.weightsName) == url.path else { return nil }
    return try? files.modelCard()
  }

  private static func file(at path: String) throws -> String {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    guard files.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else { return path }
    let candidates = ["\(path)/\(Checkpoint.folder)", path].map { "\($0)/\(Checkpoint.weightsName)" }
    if let found = candidates.first(where: files.fileExists) { return found }
    if try UnfinishedRun.hasCheckpoint(in: path) {
      throw OnePassError(
        .io,
        "The run in \(path) is not finished: let it finish with --resume, or give a safetensors file to begin with."
      )
    }
    throw OnePassError(
      .io, "\(path) holds no weights: give a safetensors file, or the folder of a finished run.")
  }

  /// What wrappers put before all names alike: `module.` by DataParallel, `model.` by Lightning.
  private static func commonPrefix(of names: [String]) -> String {
    guard names.allSatisfy({ !knownBeginnings.contains($0.prefix { $0 != "." }) }), let first = names.first
    else { return "" }
    let parts = first.split(separator: ".", omittingEmptySubsequences: false).dropLast()
    return (1..<parts.count + 1).reversed().map { parts.prefix($0).joined(separator: ".") + "." }
      .first { prefix in names.allSatisfy { $0.hasPrefix(prefix) } } ?? ""
  }

  /// With what the names of the models' tensors begin.
  private static let knownBeginnings: Set<Substring> = [
    "conv1", "bn1", "layer1", "layer2", "layer3", "layer4", head,
  ]

  private static let head: Substring = "fc"
}

extension InitialWeights {
  /// Puts the weights into a fresh model; its last layer stays new where the file's is for other classes.
  /// - Parameters:
  ///   - model: Changed only if all but the last layer fits.
  ///   - card: What the model is, and its classes.
  /// - Returns: What was loaded, as a sentence for the user.
  /// - Throws: `OnePassError`: `usage` if an option would make it fit, else `badData`.
  func load(into model: any ImageClassifier, _ card: ModelCard) throws -> String {
    try checkModel(card)
    let fresh = model.stateDictionary
    try checkFirstLayer(fresh, card)
    try checkBlur(card)
    let newHead = reasonForNewHead(fresh, card)
    var fitting = StateDictionary(weights.entries.filter { newHead == nil || !Self.isHead($0.name) })
    for (name, tensor) in fresh.entries where fitting[name] == nil {
      // Nothing depends on how many mini-batches the statistics come from, and some files leave it out.
      if name.hasSuffix(".num_batches_tracked") || (newHead != nil && Self.isHead(name)) {
        fitting[name] = tensor
      }
    }
    if let misfit = fresh.misfit(of: fitting) {
      throw OnePassError(
        .badData,
        "The weights in \(path) do not fit a \(card.name), for they \(misfit): give weights of that model under torchvision's names."
      )
    }
    for (name, tensor) in fitting.entries where tensor.elementType == .float32 {
      guard try tensor.floats().allSatisfy(\.isFinite) else {
        throw OnePassError(
          .badData,
          "The weights in \(path) have numbers that are not finite, in \(name): give some that were trained.")
      }
    }
    try fresh.load(from: fitting)
    let names = prefix.isEmpty ? "" : " (without the \(prefix) of their names)"
    return "The run begins with the weights in \(path)\(names). "
      + (newHead ?? "The last layer is theirs as well, for \(card.classes) classes.")
      + (card.blurPool ? wordOnBlur : "")
  }

  /// What has to be known of weights before they are used with blurred strides.
  private var wordOnBlur: String {
    switch origin?.blurPool {
    case true?: ""
    case false?: " They were trained without --blur-pool."
    case nil: " If they were trained without --blur-pool, as torchvision's are, say --no-blur-pool."
    }
  }

  /// Refuses weights of a run that saw blurred images for a model that would not blur them: nothing in the file tells.
  private func checkBlur(_ card: ModelCard) throws {
    guard origin?.blurPool == true, !card.blurPool else { return }
    throw OnePassError(
      .usage,
      "The weights in \(path) are those of a run with --blur-pool, and the model has none: say --blur-pool.")
  }

  /// Refuses weights of another network.
  private func checkModel(_ card: ModelCard) throws {
    let found = ModelRegistry.model(withTensors: weights.names)
    guard let found, found != card.name, OwnPart.name(in: card.name) == nil else { return }
    throw OnePassError(
      .usage,
      "The weights in \(path) are those of a \(found), and the model is a \(card.name): say --model \(found)."
    )
  }

  /// Refuses weights for images of other channels or of another size, for which there are options.
  private func checkFirstLayer(_ fresh: StateDictionary, _ card: ModelCard) throws {
    let name = "conv1.weight"
    guard let theirs = weights[name]?.shape, let ours = fresh[name]?.shape, theirs.count == 4 else { return }
    if [1, 3].contains(theirs[1]), theirs[1] != ours[1] {
      throw OnePassError(
        .usage,
        "The weights in \(path) are for images of \(theirs[1]) \(theirs[1] == 1 ? "channel" : "channels"), and the run's have "
          + "\(ours[1]): say --channels \(theirs[1]).")
    }
    let stems = [7: "imagenet", 3: "small"]
    if let stem = stems[theirs[3]], theirs[2...] != ours[2...] {
      throw OnePassError(
        .usage,
        "The weights in \(path) begin with a convolution of \(theirs[2]) x \(theirs[3]), and the model with one of \(ours[2]) x "
          + "\(ours[3]): say --stem \(stem).")
    }
  }

  /// Why the model keeps the last layer that it was made with; `nil` if it takes that of the file.
  private func reasonForNewHead(_ fresh: StateDictionary, _ card: ModelCard) -> String? {
    let (theirs, ours) = (weights.names.filter(Self.isHead), fresh.names.filter(Self.isHead))
    let new = "the run's, for \(card.classes), is new."
    if theirs.isEmpty { return "They have no last layer: \(new)" }
    guard Set(theirs) == Set(ours), let weight = weights["\(Self.head).weight"], weight.shape.count == 2
    else {
      return "Their last layer is of another form: \(new)"
    }
    if weight.shape[0] != card.classes { return "Their last layer is for \(weight.shape[0]) classes: \(new)" }
    if let theirs = origin?.classNames, let names = card.classNames, theirs != names {
      return "Their last layer is for other classes: \(new)"
    }
    return nil
  }

  private static func isHead(_ name: String) -> Bool { name.hasPrefix("\(head).") }
}
