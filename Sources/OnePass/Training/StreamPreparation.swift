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
      let survey = try Self.survey(source, configuration, classesMissing: classes == nil)
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
      let kept: any RandomAccessSource
      if let randomAccess = source as? any RandomAccessSource {
        kept =
          available < randomAccess.count
          ? LimitedRandomAccessSource(randomAccess, limit: available) : randomAccess
      } else {
        kept = try KeptStream(source, alreadyTaken: [first], limit: available)
      }
      feed = EpochFeed(kept, epochs: configuration.epochs, seed: configuration.seed)
    } else {
      feed = StreamFeed(source, alreadyTaken: [first], limit: available)
    }
    self.notices = notices
  }

  private static func survey(
    _ source: any ExampleSource, _ configuration: RunConfiguration, classesMissing: Bool
  ) throws -> Survey {
    guard let surveyable = source as? any SurveyableSource else {
      let missing = classesMissing ? "how many classes it has: say --classes" : "how long it is: say --limit"
      throw OnePassError(.usage, "\(source.specification) does not tell \(missing).")
    }
    return try surveyable.survey()
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
      header = ImageHeader(width: size, height: size, channels: configuration.channels ?? 3, format: nil)
    }
    // A grey JPEG or PNG may stand in a set of colour images; bare pixels say what they all are.
    let found = if case .pixels(_, _, let channels) = first.image.encoding { channels } else { 3 }
    return ImagePipeline.automatic(
      firstImage: header, size: configuration.imageSize, channels: configuration.channels ?? found)
  }
}

/// The number of cores that this process may use.
func machineCores() -> Int { ProcessInfo.processInfo.activeProcessorCount }
