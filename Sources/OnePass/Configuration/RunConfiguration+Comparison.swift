import OnePassCore
import OnePassData
import OnePassReplay

extension RunConfiguration {
  /// The paper's method, written out, so that no default of the program is meant by it.
  package static let paper: RunConfiguration = {
    var paper = RunConfiguration(data: "")
    (paper.method, paper.storage, paper.replaySteps) = (.replay, .fraction(0.1), 8)
    (paper.priority, paper.smoothing, paper.priorityTiming) = (.loss, .full, .insertion)
    (paper.importanceWeights, paper.recencyBias) = (true, 1.5)
    (paper.drawing, paper.evicting, paper.memoryEncoding) = (.prioritised, .uniform, .original)
    (paper.memorySize, paper.memoryQuality, paper.incomingForm) = (nil, nil, .arrived)
    (paper.memoryDirectory, paper.timeToLive) = (nil, nil)
    paper.replayCourse = .constant
    (paper.updates, paper.incomingView, paper.epochs) = (.sequential, .augmented, 1)
    (paper.batchSize, paper.learningRate, paper.momentum, paper.weightDecay) = (128, 0.1, 0.9, 0)
    (paper.optimiser, paper.schedule, paper.warmUp, paper.weightAverage) = (.sgd, .cosine, 0, 0)
    (paper.reestimateBatchNorm, paper.labelSmoothing, paper.mixing) = (false, 0, .none)
    (paper.blurPool, paper.progressiveResolution, paper.storedPredictions) = (false, 1, 0)
    (paper.augmentation, paper.augmentationMagnitude, paper.augmentationGrowth) = (.standard, nil, 1)
    return paper
  }()

  /// This run with the other's replay.
  package func withReplayOptions(of other: RunConfiguration) -> RunConfiguration {
    var changed = self
    (changed.storage, changed.replaySteps) = (other.storage, other.replaySteps)
    changed.replayCourse = other.replayCourse
    (changed.priority, changed.smoothing) = (other.priority, other.smoothing)
    (changed.priorityTiming, changed.importanceWeights) = (other.priorityTiming, other.importanceWeights)
    (changed.recencyBias, changed.drawing, changed.evicting) = (
      other.recencyBias, other.drawing, other.evicting
    )
    (changed.memoryEncoding, changed.memoryDirectory) = (other.memoryEncoding, other.memoryDirectory)
    (changed.updates, changed.timeToLive) = (other.updates, other.timeToLive)
    (changed.incomingView, changed.incomingForm) = (other.incomingView, other.incomingForm)
    (changed.memorySize, changed.memoryQuality) = (other.memorySize, other.memoryQuality)
    changed.storedPredictions = other.storedPredictions
    return changed
  }

  /// This run with fixed values for the options that its method does not use, and for those on which no result
  /// depends: what is left tells two runs apart.
  package var essence: RunConfiguration {
    var essence = withoutSecrets.withEssentialAugmentation.withEssentialRecipe
    (essence.device, essence.threads, essence.decodeThreads) = ("auto", nil, nil)
    (essence.cudaGraphs, essence.keepPictures) = (false, 0)
    // Where a memory lies changes nothing; that it lies on disk changes what a number of bytes holds.
    if memoryDirectory != nil { essence.memoryDirectory = storage.isInBytes ? "on disk" : nil }
    if method != .replay { essence = essence.withReplayOptions(of: .paper) }
    if method != .multiEpoch { essence.epochs = 1 }
    if priority == .uniform { essence.priorityTiming = .insertion }
    if priority != .loss, priority != .learnability { essence.smoothing = .full }
    return essence
  }

  /// This run as it may be kept and shown: signatures in addresses are left out, and may be others when it goes on.
  package var withoutSecrets: RunConfiguration {
    var kept = self
    kept.data = SourceRegistry.withoutSecrets(data)
    kept.evaluationData = evaluationData.map(SourceRegistry.withoutSecrets)
    return kept
  }

  /// The options in which two runs differ, by their names on the command line, with the values of each.
  package func differences(from other: RunConfiguration) -> [(option: String, mine: String, theirs: String)] {
    zip(options, other.options).compactMap { mine, theirs in
      mine.value == theirs.value ? nil : (mine.name, mine.value, theirs.value)
    }
  }

  /// Every option by its name on the command line, with its value as text.
  package var options: [(name: String, value: String)] {
    Mirror(reflecting: self).children.map {
      (Self.optionName($0.label ?? ""), Self.text($0.value) ?? "none")
    }
  }

  /// The first option in which a record differs from this request, in words; `nil` if it is the same run.
  ///
  /// Options that were left to the program count as equal.
  package func difference(fromRecord record: RunConfiguration) -> String? {
    var record = record
    if stem == nil { record.stem = nil }
    if imageSize == nil { record.imageSize = nil }
    if channels == nil { record.channels = nil }
    if classCount == nil { record.classCount = nil }
    if classNames == nil { record.classNames = nil }
    return essence.differences(from: record.essence).first.map {
      "\($0.option) \($0.theirs) and not \($0.mine)"
    }
  }

  /// `nil` for an option that is left to the program.
  static func text(_ value: Any) -> String? {
    let mirror = Mirror(reflecting: value)
    if mirror.displayStyle == .optional { return mirror.children.first.flatMap { text($0.value) } }
    if let number = value as? Double { return "\(number)" }
    if let kind = value as? any RawRepresentable<String> { return kind.rawValue }
    return "\(value)"
  }

  /// `replaySteps` is `replay-steps` on the command line.
  static func optionName(_ property: String) -> String {
    let names = [
      "evaluationData": "eval-data", "evaluationLimit": "eval-limit", "classCount": "classes",
      "classNames": "classes", "smoothing": "alpha",
    ]
    return names[property]
      ?? property.reduce(into: "") { name, letter in
        name += letter.isUppercase ? "-\(letter.lowercased())" : "\(letter)"
      }
  }
}
