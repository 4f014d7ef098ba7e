/// The name of a custom component in records, with the prefix `own:`, as in `own:Focal(gamma: 2.0)`.
///
/// Built-in components have no prefix, so a custom component cannot be confused with a built-in one.
package enum OwnPart {
  private static let prefix = "own:"

  /// The record of a custom component called `name`.
  package static func record(of name: String) -> String { prefix + name }

  /// The name of the custom component in a record; `nil` if the record names a built-in component.
  package static func name(in record: String) -> String? {
    record.hasPrefix(prefix) ? String(record.dropFirst(prefix.count)) : nil
  }
}
