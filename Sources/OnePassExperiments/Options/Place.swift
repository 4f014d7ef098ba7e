import OnePassCore

/// Where something was written, as a person looks for it: `grid.yaml:7`.
package struct Place: Hashable, Sendable, CustomStringConvertible {
  /// A file, a preset, or the command line.
  package let source: String
  /// Counted from 1.
  package let line: Int?

  package init(_ source: String, line: Int? = nil) {
    self.source = source
    self.line = line
  }

  package var description: String { line.map { "\(source):\($0)" } ?? source }

  /// A refusal that names this place.
  func refusal(_ sentence: String) -> OnePassError { OnePassError(.usage, "\(self): \(sentence)") }
}
