/// An example that could not be decoded and is therefore not in its batch.
public struct SkippedExample: Hashable, Sendable {
  /// The example's position in the stream.
  public let id: Int
  /// One sentence: what is wrong with the image, and what to do.
  public let reason: String

  public init(id: Int, reason: String) {
    self.id = id
    self.reason = reason
  }
}
