/// The place of an option or a value, for error messages: `grid.yaml:7`.
package struct Place: Hashable, Sendable, CustomStringConvertible {
  /// A file, a preset, or the command line.
  package let source: String
  /// The line, counted from 1; `nil` for a whole source.
  package let line: Int?

  /// A place in a source.
  package init(_ source: String, line: Int? = nil) {
    self.source = source
    self.line = line
  }

  /// `grid.yaml:7`, or the source alone.
  package var description: String { line.map { "\(source):\($0)" } ?? source }
}
