import Foundation
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

  /// Whether a source can be read only once: standard input, or another pipe.
  static func isReadOnce(_ specification: String) -> Bool {
    let parts = specification.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, parts[1] != "-" else { return parts.count == 2 }
    var status = stat()
    return stat(String(parts[1]), &status) == 0
      && [S_IFIFO, S_IFSOCK, S_IFCHR].contains(status.st_mode & S_IFMT)
  }
}
