import Foundation
import OnePassCore
import OnePassModels
import OnePassTorch

/// The initial weights of a run, from another run or another program.
struct InitialWeights {
  /// The path that was passed.
  let path: String
  private let weights: StateDictionary
  /// The prefix of all names in the file that the model's names lack, as `module.`
  private let prefix: String
  /// The card of the trained model, if the file is from a finished run.
  private let origin: ModelCard?

  /// - Parameter path: A safetensors file, or the folder of a finished run.
  /// - Throws: `OnePassError`: `io` if there is no file, `badData` if it is damaged or has another format.
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

  /// The card in the same checkpoint; `nil` if the file is not from one.
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
      throw OnePassError.weightsOfUnfinishedRun(path)
    }
    throw OnePassError.noWeights(in: path)
  }

  /// The common prefix that wrappers add to all names: `module.` by DataParallel, `model.` by Lightning.
  private static func commonPrefix(of names: [String]) -> String {
    guard names.allSatisfy({ !layerNames.contains($0.prefix { $0 != "." }) }), let first = names.first
    else { return "" }
    let parts = first.split(separator: ".", omittingEmptySubsequences: false).dropLast()
    return (1..<parts.count + 1).reversed().map { parts.prefix($0).joined(separator: ".") + "." }
      .first { prefix in names.allSatisfy { $0.hasPrefix(prefix) } } ?? ""
  }

  /// The first components of the tensor names of the built-in models.
  private static let layerNames: Set<Substring> = [
    "conv1", "bn1", "layer1", "layer2", "layer3", "layer4", head,
  ]

  private static let head: Substring = "fc"
}

extension InitialWeights {
  /// Loads the weights into a new model. Its last layer stays random if that of the file is for other classes.
  /// - Parameters:
  ///   - model: The model, which is changed only if all layers but the last fit.
  ///   - card: The architecture and classes of the model.
  /// - Returns: A notice about what was loaded.
  /// - Throws: `OnePassError`: `usage` if another option would make the weights fit, else `badData`.
  func load(into model: any ImageClassifier, _ card: ModelCard) throws -> String {
    try checkModel(card)
    let fresh = model.stateDictionary
    try checkFirstLayer(fresh, card)
    try checkBlur(card)
    let newHead = reasonForNewHead(fresh, card)
    var fitting = StateDictionary(weights.entries.filter { newHead == nil || !Self.isHead($0.name) })
    for (name, tensor) in fresh.entries where fitting[name] == nil {
      // The number of mini-batches behind the running statistics has no effect, and some files lack it.
      if name.hasSuffix(".num_batches_tracked") || (newHead != nil && Self.isHead(name)) {
        fitting[name] = tensor
      }
    }
    if let misfit = fresh.misfit(of: fitting) {
      throw OnePassError.weightsDoNotFit(path, model: card.name, misfit: misfit)
    }
    for (name, tensor) in fitting.entries where tensor.elementType == .float32 {
      guard try tensor.floats().allSatisfy(\.isFinite) else {
        throw OnePassError.weightsNotFinite(path, tensor: name)
      }
    }
    try fresh.load(from: fitting)
    let names = prefix.isEmpty ? "" : " (without the prefix \(prefix) of parameter names)"
    let head =
      card.classes == 0
      ? "Its last layer is left out, because the classes are open."
      : newHead.map { "The last layer for \(card.classes) classes is new, because \($0)." }
        ?? "The last layer for \(card.classes) classes was loaded too."
    return "Initialised the model from \(path)\(names). \(head)" + (card.blurPool ? blurNotice : "")
  }

  /// A notice about weights that may have been trained without blur pooling.
  private var blurNotice: String {
    switch origin?.blurPool {
    case true?: ""
    case false?: " The weights were trained without --blur-pool."
    case nil: " If the weights were trained without --blur-pool, as torchvision's are, pass --no-blur-pool."
    }
  }

  /// Refuses weights that were trained with blur pooling for a model without it, which has tensors of the same shapes.
  private func checkBlur(_ card: ModelCard) throws {
    guard origin?.blurPool == true, !card.blurPool else { return }
    throw OnePassError.weightsWithBlurPool(path)
  }

  /// Refuses weights of another architecture.
  private func checkModel(_ card: ModelCard) throws {
    let found = ModelRegistry.model(withTensors: weights.names)
    guard let found, found != card.name, OwnPart.name(in: card.name) == nil else { return }
    throw OnePassError.weightsOfOtherModel(path, found: found, model: card.name)
  }

  /// Refuses weights for another number of channels or another stem, which options could change.
  private func checkFirstLayer(_ fresh: StateDictionary, _ card: ModelCard) throws {
    let name = "conv1.weight"
    guard let theirs = weights[name]?.shape, let ours = fresh[name]?.shape, theirs.count == 4 else { return }
    if [1, 3].contains(theirs[1]), theirs[1] != ours[1] {
      throw OnePassError.weightsOfOtherChannels(path, channels: theirs[1], imageChannels: ours[1])
    }
    let stems = [7: "imagenet", 3: "small"]
    if let stem = stems[theirs[3]], theirs[2...] != ours[2...] {
      throw OnePassError.weightsOfOtherStem(
        path, kernel: (theirs[2], theirs[3]), modelKernel: (ours[2], ours[3]), stem: stem)
    }
  }

  /// The reason why the last layer of the model stays random; `nil` if that of the file is loaded.
  private func reasonForNewHead(_ fresh: StateDictionary, _ card: ModelCard) -> String? {
    let (theirs, ours) = (weights.names.filter(Self.isHead), fresh.names.filter(Self.isHead))
    if theirs.isEmpty { return "the file has none" }
    guard Set(theirs) == Set(ours), let weight = weights["\(Self.head).weight"], weight.shape.count == 2
    else {
      return "that of the file has another form"
    }
    if weight.shape[0] != card.classes { return "that of the file has \(weight.shape[0]) classes" }
    if let theirs = origin?.classNames, let names = card.classNames, theirs != names {
      return "that of the file is for other classes"
    }
    return nil
  }

  private static func isHead(_ name: String) -> Bool { name.hasPrefix("\(head).") }
}
