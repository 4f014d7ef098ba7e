import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay

/// What a look at the start of a stream tells: its length, its classes, what its images are like.
struct StreamLook {
  /// The examples that a run would take, as far as that is known.
  let examples: Int
  let pipeline: ImagePipeline
  let stem: Stem
  /// What had to be taken from the stream to see an image; the last is whole, as far as its header tells.
  let taken: [Example]
  /// What the user should know.
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
        "Read the names and labels of \(source.specification) once to count them: "
          + "\(survey.count) examples, \(survey.classCount) classes.")
      length = survey.count
      classes = classes ?? survey.classCount
    }
    examples = min(length ?? .max, configuration.data.limit ?? .max)
    if let length, let limit = configuration.data.limit, limit > length {
      notices.append("The stream has \(length) examples, fewer than --limit \(limit).")
    }
    guard examples < .max else {
      throw OnePassError(.usage, "\(source.specification) does not tell how long it is: say --limit.")
    }
    let header: ImageHeader
    (taken, header) = try Self.firstImage(of: source, atMost: examples)
    pipeline = try ImagePipeline.automatic(
      firstImage: header, size: configuration.model.imageSize, channels: configuration.model.channels)
    try configuration.checkMemorySize(pipeline)
    stem = configuration.model.stem ?? (pipeline.size <= ImagePipeline.largestSmallImage ? .small : .imageNet)
    self.classes = classes ?? 0
    self.notices = notices
  }

  /// What a run on the stream comes to.
  /// - Parameter streamExamples: N.
  /// - Throws: `OnePassError` if there are no two classes, or the storage is more than the stream.
  func plan(
    _ configuration: RunConfiguration, _ source: any ExampleSource, streamExamples: Int
  ) throws -> TrainingPlan {
    let plan = try TrainingPlan(
      configuration, streamExamples: streamExamples, classes: classes,
      classNames: configuration.data.classNames ?? source.classNames)
    guard plan.classes >= 2 else {
      throw OnePassError(
        .badData,
        "\(source.specification) has \(plan.classes) class: a classifier needs at least 2. "
          + "Say --classes if there are more.")
    }
    guard configuration.memory.storedPredictions == 0 || plan.classes <= StoredPrediction.classLimit else {
      throw OnePassError(
        .usage,
        "--stored-predictions keeps classes in 16 bits, for at most \(StoredPrediction.classLimit), and "
          + "\(source.specification) has \(plan.classes): leave it out.")
    }
    return plan
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
