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
  /// What the user should know.
  let notices: [String]

  init(_ source: any ExampleSource, _ configuration: RunConfiguration) throws {
    var notices: [String] = []
    var length = source.knownCount
    var classes = configuration.classNames?.count ?? configuration.classCount ?? source.knownClassCount
    if classes == nil || (length == nil && configuration.limit == nil) {
      let survey = try Survey.of(source)
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
    guard available > 0, available < .max, let first = try source.next() else {
      throw OnePassError(.badData, "\(source.specification) holds no examples: give a source that does.")
    }

    plan = try TrainingPlan(
      configuration, streamExamples: available, classes: classes ?? 0,
      classNames: configuration.classNames ?? source.classNames)
    guard plan.classes >= 2 else {
      throw OnePassError(
        .badData,
        "\(source.specification) has \(plan.classes) class: a classifier needs at least 2. "
          + "Say --classes if there are more.")
    }
    pipeline = try Self.makePipeline(first, source, configuration)
    stem = configuration.stem ?? (pipeline.size <= ImagePipeline.largestSmallImage ? .small : .imageNet)

    if configuration.method == .multiEpoch {
      // All data is kept: by the source itself where it has random access, else in memory.
      let limited = LimitedSource.first(available, of: source) as? any RandomAccessSource
      let kept = try limited ?? KeptStream(source, alreadyTaken: [first], limit: available)
      feed = EpochFeed(kept, epochs: configuration.epochs, seed: configuration.seed)
    } else {
      feed = StreamFeed(source, alreadyTaken: [first], limit: available)
    }
    self.notices = notices
  }

  private static func makePipeline(
    _ first: Example, _ source: any ExampleSource, _ configuration: RunConfiguration
  ) throws -> ImagePipeline {
    let header: ImageHeader
    do {
      header = try ImageHeader.read(first.image)
    } catch {
      guard let size = configuration.imageSize else {
        throw OnePassError(
          .badData,
          "The first image of \(source.specification) is broken, so it does not tell the size of the images: "
            + "say --image-size. (\(error))", cause: error)
      }
      header = ImageHeader(width: size, height: size, channels: configuration.channels ?? 3, format: .jpeg)
    }
    return try ImagePipeline.automatic(
      firstImage: header, size: configuration.imageSize, channels: configuration.channels)
  }
}

/// The number of cores that this process may use.
func machineCores() -> Int { ProcessInfo.processInfo.activeProcessorCount }
