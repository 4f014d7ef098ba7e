/// An example that is not in its batch because its image could not be decoded.
///
/// ```swift
/// let batch = try pool.submit(examples, views: views).wait()
/// for skipped in batch.skipped { print("example \(skipped.id): \(skipped.reason)") }
/// ```
public struct SkippedExample: Hashable, Codable, Sendable {
  /// The example's position in the stream.
  public let id: Int
  /// The decoder's error message, with the remedy.
  public let reason: String

  /// The size of its encoded image in bytes.
  public let bytes: Int

  /// Creates a record of a skipped example.
  public init(id: Int, reason: String, bytes: Int) {
    self.id = id
    self.bytes = bytes
    self.reason = reason
  }
}
