import OnePassCore

/// Refuses an example whose label is not one of `0 ..< classCount`.
///
/// Sources deliver labels as they find them; the trainer calls this on each example before it is used.
/// - Throws: `OnePassError` (`badData`) that names the source, the position and the label.
public func checkLabel(of example: Example, classCount: Int, in specification: String) throws {
  guard example.label < 0 || example.label >= classCount else { return }
  throw OnePassError(
    .badData,
    "Example \(example.id) of \(specification) has the label \(example.label), but there are \(classCount) classes "
      + "(0 to \(classCount - 1)). Correct the label, or state the right number of classes.")
}
