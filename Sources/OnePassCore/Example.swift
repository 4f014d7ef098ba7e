/// One labelled image of the stream, as it arrived.
public struct Example: Sendable {
  /// The position in the stream, counted from 0; no two examples of a pass share one.
  public let id: Int
  /// The class, 0 ..< number of classes.
  public let label: Int
  public let image: EncodedImage
  /// Whom it is about, where the source was asked for that; see ``SubjectKey``.
  public let subject: String?

  @inlinable
  public init(id: Int, label: Int, image: EncodedImage, subject: String? = nil) {
    self.id = id
    self.label = label
    self.image = image
    self.subject = subject
  }
}
