import OnePassData

extension RunConfiguration {
  /// Adds the kind to sources that are named by their path alone.
  /// - Parameters:
  ///   - data: Whether the training data is named by the configuration.
  ///   - evaluation: Whether the evaluation data is.
  /// - Returns: Notices for the user, one for each such source.
  /// - Throws: `OnePassError` (`usage`) for a text that names neither a source nor a folder or file of a known kind.
  mutating func readPaths(data isNamed: Bool, evaluation evaluationIsNamed: Bool) throws -> [String] {
    var notices: [String] = []
    func read(_ text: String) throws -> String {
      let reading = try SourceRegistry.reading(of: text)
      if let notice = reading.notice { notices.append(notice) }
      return reading.specification
    }
    if isNamed { data.source = try read(data.source) }
    if evaluationIsNamed { data.evaluationSource = try data.evaluationSource.map(read) }
    return notices
  }
}
