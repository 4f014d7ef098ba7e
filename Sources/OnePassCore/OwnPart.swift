/// How a record names a part that a program brought itself: `own:Focal(gamma: 2.0)`.
///
/// Parts of OnePass have names without the prefix, so that neither is ever taken for the other.
package enum OwnPart {
  private static let prefix = "own:"

  package static func record(of name: String) -> String { prefix + name }

  /// The part's name; `nil` if the record names a part of OnePass.
  package static func name(in record: String) -> String? {
    record.hasPrefix(prefix) ? String(record.dropFirst(prefix.count)) : nil
  }
}
