import OnePassCore

/// The length and the number of classes of a stream.
///
/// ```swift
/// let survey = try Survey.of(try SourceRegistry.open("fashion-mnist", seed: 1))
/// print(survey.count, survey.classCount)  // 60000 10
/// ```
public struct Survey: Hashable, Sendable {
  /// The number of examples.
  public let count: Int
  /// The number of classes.
  public let classCount: Int

  /// Creates a survey.
  public init(count: Int, classCount: Int) {
    self.count = count
    self.classCount = classCount
  }

  /// Surveys a source, reading the data only if the source does not state its length and classes.
  ///
  /// A survey reads names and labels, but no images, and does not move the source's position.
  /// - Throws: `OnePassError` (`usage`) if the source cannot be read in advance, such as standard input; errors of
  ///   reading.
  public static func of(_ source: any ExampleSource) throws -> Survey {
    if let limited = source as? LimitedSource {
      let whole = try of(limited.base)
      return Survey(count: min(whole.count, limited.limit), classCount: whole.classCount)
    }
    if let count = source.knownCount, let classCount = source.knownClassCount {
      return Survey(count: count, classCount: classCount)
    }
    if let source = source as? any SurveyableSource { return try source.survey() }
    throw OnePassError.lengthIsUnknown(of: source.specification)
  }
}

/// A source whose labels can be read in advance, without its images and without moving its position.
///
/// ```swift
/// let stream: any SurveyableSource = try WebDatasetSource("shards/train-{0000..0009}.tar")
/// print(try stream.survey().count)
/// ```
public protocol SurveyableSource: ExampleSource {
  /// Reads the labels of the whole stream, which sets `knownCount` and `knownClassCount`.
  func survey() throws -> Survey
}
