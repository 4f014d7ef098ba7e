import Foundation
import OnePassCore
import OnePassData
import OnePassModels

/// What has to be known of a stream before its first mini-batch: length, classes, size and kind of images.
struct StreamPreparation {
  let plan: TrainingPlan
  let pipeline: ImagePipeline
  let stem: Stem
  let feed: any ExampleFeed
  /// The first image that is whole; `nil` where the run goes on.
  let firstImage: EncodedImage?
  /// What the user should know.
  let notices: [String]

  init(_ source: any ExampleSource, _ configuration: RunConfiguration) throws {
    var notices: [String] = []
    var length = source.knownCount
    var classes = configuration.classNames?.count ?? configuration.classCount ?? source.knownClassCount
    if classes == nil || (length == nil && configuration.limit == nil) {
      let survey = try Self.survey(
        source, lengthMissing: length == nil && configuration.limit == nil, classesMissing: classes == nil)
      notices.append(
        "Read the names and labels of \(source.specification) once to count them: "
          + "\(survey.count) examples, \(survey.classCount) classes.")
      length = survey.count
      classes = classes ?? survey.classCount
    }
    let available = min(length ?? .max, configuration.limit ?? .max)
    if let length, let limit = configuration.limit, limit > length {
      notices.append("The stream has \(length) examples, fewer than --limit \(limit).")
    }
    guard available < .max else {
      throw OnePassError(.usage, "\(source.specification) does not tell how long it is: say --limit.")
    }
    let (taken, header) = try Self.firstImage(of: source, atMost: available)

    var streamExamples = available
    if configuration.method == .multiEpoch {
      // All data is kept: by the source itself where it has random access, else in memory.
      let limited = LimitedSource.first(available, of: source) as? any RandomAccessSource
      let kept = try limited ?? KeptStream(source, alreadyTaken: taken, limit: available)
      streamExamples = kept.count
      feed = EpochFeed(kept, epochs: configuration.epochs, seed: configuration.seed)
    } else {
      feed = StreamFeed(source, alreadyTaken: taken, limit: available)
    }

    plan = try TrainingPlan(
      configuration, streamExamples: streamExamples, classes: classes ?? 0,
      classNames: configuration.classNames ?? source.classNames)
    guard plan.classes >= 2 else {
      throw OnePassError(
        .badData,
        "\(source.specification) has \(plan.classes) class: a classifier needs at least 2. "
          + "Say --classes if there are more.")
    }
    pipeline = try ImagePipeline.automatic(
      firstImage: header, size: configuration.imageSize, channels: configuration.channels)
    firstImage = taken.last?.image
    stem = configuration.stem ?? (pipeline.size <= ImagePipeline.largestSmallImage ? .small : .imageNet)
    self.notices = notices
  }

  /// As it was known when the run began: nothing is read ahead, so that the source is still at its start.
  /// - Throws: `OnePassError` if the stream is not the one that the run began with.
  init(
    _ source: any ExampleSource, _ configuration: RunConfiguration, resuming state: RunState,
    ledger: LedgerFile?
  ) throws {
    plan = state.plan
    pipeline = state.card.pipeline
    stem = state.card.stem
    if let length = source.knownCount, min(length, configuration.limit ?? .max) != plan.streamExamples {
      throw OnePassError(
        .badData,
        "\(source.specification) has \(length) examples, and the run began with \(plan.streamExamples): "
          + "resume with the same data as before.")
    }
    var feed: any ExampleFeed
    if configuration.method == .multiEpoch {
      let limited = LimitedSource.first(plan.streamExamples, of: source) as? any RandomAccessSource
      let kept = try limited ?? KeptStream(source, alreadyTaken: [], limit: plan.streamExamples)
      feed = EpochFeed(kept, epochs: configuration.epochs, seed: configuration.seed)
    } else {
      feed = StreamFeed(source, alreadyTaken: [], limit: plan.streamExamples)
    }
    try feed.resume(after: state.tally.taken, ledger: ledger)
    firstImage = nil
    self.feed = feed
    var notices = ["Going on after step \(state.steps) of \(plan.steps)."]
    if source.readsAgainToRestore {
      notices.append(
        "\(source.specification) cannot seek: its first \(state.tally.taken) examples were read again and passed over."
      )
    }
    self.notices = notices
  }

  private static func survey(
    _ source: any ExampleSource, lengthMissing: Bool, classesMissing: Bool
  ) throws -> Survey {
    do { return try Survey.of(source) } catch let error as OnePassError where error.code == .usage {
      let missing =
        (lengthMissing ? ["--limit with the number of examples to take"] : [])
        + (classesMissing ? ["--classes with the number of classes"] : [])
      throw OnePassError(
        .usage,
        "\(source.specification) cannot be read ahead: give \(missing.joined(separator: ", and ")).",
        cause: error)
    }
  }

  /// Takes examples from the stream until one shows how large the images are; the others are broken.
  private static func firstImage(
    of source: any ExampleSource, atMost limit: Int
  ) throws -> (taken: [Example], header: ImageHeader) {
    var taken: [Example] = []
    var firstProblem: (any Error)?
    while taken.count < min(limit, 100), let example = try source.next() {
      taken.append(example)
      do { return (taken, try ImageHeader.read(example.image)) } catch {
        firstProblem = firstProblem ?? error
      }
    }
    guard let firstProblem else {
      throw OnePassError(.badData, "\(source.specification) holds no examples: give a source that does.")
    }
    throw OnePassError(
      .badData,
      "None of the first \(taken.count) images of \(source.specification) can be read. \(firstProblem)",
      cause: firstProblem)
  }
}

/// The number of cores that this process may use.
func machineCores() -> Int { ProcessInfo.processInfo.activeProcessorCount }

extension RunConfiguration {
  /// A source behind the shuffle buffer, if one is asked for.
  ///
  /// What `limit` cuts off is never taken into the buffer.
  /// - Throws: `OnePassError` (`usage`) if the source is in random order already.
  func shuffling(_ source: any ExampleSource) throws -> any ExampleSource {
    guard let shuffleBuffer else { return source }
    guard !(source is any RandomAccessSource) else {
      throw OnePassError(
        .usage,
        "\(source.specification) is in a random order already: leave out --shuffle-buffer, which would only take memory."
      )
    }
    let limited = limit.map { LimitedSource.first($0, of: source) } ?? source
    return ShuffleBuffer(limited, size: shuffleBuffer, seed: seed)
  }
}
