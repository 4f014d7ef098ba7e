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
  /// The examples that were read to find an image. The last one has a valid header, and the others are broken.
  let taken: [Example]
  /// Notices for the user.
  let notices: [String]
  private let classes: Int

  init(_ stream: RunStream, _ configuration: RunConfiguration) throws {
    let source = stream.source
    var notices: [String] = []
    var length = source.knownCount
    var classes =
      configuration.data.classNames?.count ?? configuration.data.classCount ?? source.knownClassCount
    if classes == nil || (length == nil && configuration.data.limit == nil) {
      let survey = try Self.survey(
        stream.arriving, lengthMissing: length == nil && configuration.data.limit == nil,
        classesMissing: classes == nil)
      notices.append(
        "Counted \(source.specification): \(survey.count) examples, \(survey.classCount) classes.")
      length = survey.count
      classes = classes ?? survey.classCount
    }
    examples = min(length ?? .max, configuration.data.limit ?? .max)
    if let length, let limit = configuration.data.limit, limit > length {
      notices.append("--limit \(limit) exceeds the length of the stream, \(length) examples.")
    }
    guard examples < .max else { throw OnePassError.streamLengthUnknown(source.specification) }
    let header: ImageHeader
    (taken, header) = try Self.firstImage(of: source, atMost: examples)
    pipeline = try ImagePipeline.automatic(
      firstImage: header, size: configuration.model.imageSize, channels: configuration.model.channels)
    try configuration.checkMemorySize(pipeline)
    stem = configuration.model.stem ?? (pipeline.size <= ImagePipeline.largestSmallImage ? .small : .imageNet)
    self.classes = classes ?? 0
    self.notices = notices
  }

  /// Returns the plan of a run on the stream.
  /// - Parameter streamExamples: N.
  /// - Throws: `OnePassError` if there are fewer than two classes, or the storage exceeds the stream.
  func plan(
    _ configuration: RunConfiguration, _ source: any ExampleSource, streamExamples: Int
  ) throws -> TrainingPlan {
    let plan = try TrainingPlan(
      configuration, streamExamples: streamExamples, classes: classes,
      classNames: configuration.data.classNames ?? source.classNames)
    guard plan.classes >= 2 else {
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

  /// Reads examples from the stream until one has a valid image header.
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
    guard let firstProblem else { throw OnePassError.noExamples(in: source.specification) }
    throw OnePassError.noDecodableImages(
      amongFirst: taken.count, of: source.specification, reason: "\(firstProblem)", cause: firstProblem)
  }
}
