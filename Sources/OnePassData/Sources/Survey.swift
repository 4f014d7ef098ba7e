import OnePassCore

/// How long a stream is and how many classes it has.
public struct Survey: Hashable, Sendable {
  public let count: Int
  public let classCount: Int

  public init(count: Int, classCount: Int) {
    self.count = count
    self.classCount = classCount
  }

  /// What is known of a source, read from the data only where it has to be.
  ///
  /// A survey reads names and labels, never an image; the pass over the images is still to come.
  /// - Throws: `OnePassError` (`usage`) if the source cannot be read ahead, as standard input; whatever
  ///   reading it throws.
  public static func of(_ source: any ExampleSource) throws -> Survey {
    if let limited = source as? LimitedSource {
      let whole = try of(limited.base)
      return Survey(count: min(whole.count, limited.limit), classCount: whole.classCount)
    }
    if let count = source.knownCount, let classCount = source.knownClassCount {
      return Survey(count: count, classCount: classCount)
    }
    if let source = source as? any SurveyableSource { return try source.survey() }
    throw OnePassError(
      .usage,
      "The length and the classes of \(source.specification) are not known in advance. "
        + "Use a source that states them, such as shards written by onepass pack.")
  }
}

/// A source whose names and labels can be read ahead, without its images and without moving its position.
public protocol SurveyableSource: ExampleSource {
  /// Reads the names and labels of the whole stream; afterwards `knownCount` and `knownClassCount` are set.
  func survey() throws -> Survey
}
