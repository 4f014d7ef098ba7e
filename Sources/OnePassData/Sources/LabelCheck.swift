import OnePassCore

/// Throws if an example's label is not in `0 ..< classCount`.
///
/// Sources deliver labels unchecked. The trainer calls this function on each example before it is used.
///
/// ```swift
/// try checkLabel(of: example, classCount: 10, in: "folder:photos")
/// ```
/// - Parameters:
///   - example: The example to check.
///   - classCount: The number of classes.
///   - specification: The source's name in the error message.
/// - Throws: `OnePassError` (`badData`) with the source, the position and the label.
public func checkLabel(of example: Example, classCount: Int, in specification: String) throws {
  guard example.label < 0 || example.label >= classCount else { return }
  throw OnePassError.labelIsOutOfRange(
    example.label, example: example.id, in: specification, classCount: classCount)
}
