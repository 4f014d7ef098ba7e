/// An image with its class, not yet assigned a position in a stream.
///
/// ```swift
/// let photo = LabelledImage(EncodedImage(bytes: jpeg), label: 3)
/// let grey = EncodedImage(bytes: pixels, encoding: .pixels(width: 28, height: 28, channels: 1))
/// let digit = LabelledImage(grey, label: 7)
/// ```
public struct LabelledImage: Sendable {
  /// The encoded image.
  public var image: EncodedImage
  /// The class, 0 ..< number of classes.
  public var label: Int
  /// The subject that the image is about, so that its images can be forgotten; see ``SubjectKey``.
  public var subject: String?
  /// The name of the class, if the stream neither numbers nor lists its classes.
  package var className: String?

  /// Creates a labelled image.
  /// - Parameters:
  ///   - image: An image file, or raw pixels.
  ///   - label: The class, 0 ..< number of classes.
  ///   - subject: The subject that the image is about, so that its images can be forgotten.
  public init(_ image: EncodedImage, label: Int, subject: String? = nil) {
    self.image = image
    self.label = label
    self.subject = subject
  }
}

extension Example {
  /// Creates an example from a labelled image and its position in the stream.
  package init(id: Int, _ labelled: LabelledImage) {
    self.init(
      id: id, label: labelled.label, image: labelled.image, subject: labelled.subject,
      className: labelled.className)
  }
}
