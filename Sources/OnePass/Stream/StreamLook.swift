import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay

/// The facts of a stream that must be known before the first step: length, classes, image size.
struct StreamLook {
  /// The number of examples that a run would take, as far as it is known.
  let examples: Int
  let pipeline: ImagePipeline
  let stem: Stem
  /// The examples that were read to find images: the first mini-batch, or more if none of its images has a valid header.
  let taken: [Example]
  /// The first image with a valid header.
  let firstImage: EncodedImage
  /// Notices for the user.
  let notices: [String]
  /// The configuration, with the model and the mini-batch size that the stream chooses where none is set.
  let configuration: RunConfiguration
  /// What the stream chose; `nil` where the model or the mini-batch size is set.
  let choice: StreamChoice?
  private let classes: Int

  /// Reads the first examples of a stream.
  /// - Parameters:
  ///   - stream: The stream, before its first example was taken.
  ///   - configuration: The configuration of the run.
  ///   - isWhole: Whether to read the whole first mini-batch, instead of one image.
  init(_ stream: RunStream, _ configuration: RunConfiguration, wholeBatch isWhole: Bool = true) throws {
    let source = stream.source
    var configuration = configuration
    let isChosenByStream = configuration.isChosenByStream
    var notices: [String] = []
    var length = source.knownCount
    let isOpen = configuration.data.openClasses != nil
    var classes =
      isOpen
      ? 0 : configuration.data.classNames?.count ?? configuration.data.classCount ?? source.knownClassCount
    if stream.live != nil {
      length = configuration.data.limit ?? TrainingPlan.endless
    } else if classes == nil || (length == nil && configuration.data.limit == nil) {
      let survey = try Self.survey(
        stream.arriving, lengthMissing: length == nil && configuration.data.limit == nil,
        classesMissing: classes == nil)
      notices.append(
        "Counted \(source.specification): \(survey.count) examples"
          + (isOpen ? "." : ", \(survey.classCount) classes."))
      length = survey.count
      classes = classes ?? survey.classCount
    }
    examples = min(length ?? .max, configuration.data.limit ?? .max)
    if let length, let limit = configuration.data.limit, limit > length {
      notices.append("--limit \(limit) exceeds the length of the stream, \(length) examples.")
    }
    guard examples < .max else { throw OnePassError.streamLengthUnknown(source.specification) }
    if isChosenByStream {
      configuration.recipe.batchSize = StreamChoice.batchSize(configuration, streamExamples: examples)
    }
    let images: Images
    let count = isWhole ? configuration.recipe.batchSize : 1
    (taken, images) = try Self.firstImages(
      of: source, count: min(count, examples), atMost: examples, configuration.orientationPolicy)
    firstImage = images.first
    pipeline = try ImagePipeline.automatic(
      images: images.headers, size: configuration.model.imageSize, channels: configuration.model.channels,
      orientation: configuration.orientationPolicy)
    notices += try [pipeline.noticeOfSizes(images.headers, chosen: configuration.model.imageSize)].compactMap(
      \.self)
    try configuration.checkMemorySize(pipeline)
    stem = configuration.model.stem ?? (pipeline.size <= ImagePipeline.largestSmallImage ? .small : .imageNet)
    if isChosenByStream {
      configuration.model.name = StreamChoice.model(
        configuration, streamExamples: examples, side: pipeline.size)
      let choice = StreamChoice(model: configuration.model.name, batchSize: configuration.recipe.batchSize)
      notices.append(choice.notice(streamExamples: examples, side: pipeline.size))
      self.choice = choice
    } else {
      choice = nil
    }
    self.configuration = configuration
    self.classes = classes ?? 0
    self.notices = notices
  }

  /// Returns the plan of a run on the stream.
  /// - Parameters:
  ///   - source: The source, for messages.
  ///   - streamExamples: N.
  /// - Throws: `OnePassError` if there are fewer than two classes, or the storage exceeds the stream.
  func plan(_ source: any ExampleSource, streamExamples: Int) throws -> TrainingPlan {
    let plan = try TrainingPlan(
      configuration, streamExamples: streamExamples, classes: classes,
      classNames: configuration.data.openClasses == nil
        ? configuration.data.classNames ?? source.classNames : [])
    guard plan.classes >= 2 || plan.classLimit != nil else {
      throw OnePassError.tooFewClasses(plan.classes, in: source.specification)
    }
    try configuration.noteKind?.check(plan, of: source.specification)
    return plan
  }

  private static func survey(
    _ source: any ExampleSource, lengthMissing: Bool, classesMissing: Bool
  ) throws -> Survey {
    do { return try Survey.of(source) } catch let error as OnePassError where error.code == .usage {
      throw OnePassError.streamNotCountable(
        source.specification, needsLimit: lengthMissing, needsClasses: classesMissing, cause: error)
    }
  }

  /// The images with valid headers.
  private struct Images {
    let first: EncodedImage
    var headers: [ImageHeader]
  }

  /// Reads the first mini-batch from the stream. If none of its images has a valid header, reads on until one has, up to a
  /// hundred examples.
  private static func firstImages(
    of source: any ExampleSource, count: Int, atMost limit: Int, _ orientation: OrientationPolicy
  ) throws -> (taken: [Example], images: Images) {
    var taken: [Example] = []
    var images: Images?
    var firstProblem: (any Error)?
    while taken.count < (images == nil ? min(limit, max(count, 100)) : count),
      let example = try source.next()?.waiting()
    {
      taken.append(example)
      do {
        let header = try ImageHeader.read(example.image, orientation: orientation)
        images = images ?? Images(first: example.image, headers: [])
        images?.headers.append(header)
      } catch {
        firstProblem = firstProblem ?? error
      }
    }
    if let images { return (taken, images) }
    guard let firstProblem else { throw OnePassError.noExamples(in: source.specification) }
    throw OnePassError.noDecodableImages(
      amongFirst: taken.count, of: source.specification, reason: "\(firstProblem)", cause: firstProblem)
  }
}
