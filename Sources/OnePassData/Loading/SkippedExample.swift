/// An example that could not be decoded and is therefore not in its batch.
public struct SkippedExample: Hashable, Codable, Sendable {
  /// The example's position in the stream.
  public let id: Int
  /// One sentence: what is wrong with the image, and what to do.
  public let reason: String

  /// The length of its encoded image.
  public let bytes: Int

  public init(id: Int, reason: String, bytes: Int) {
    self.id = id
    self.bytes = bytes
    self.reason = reason
  }
}
