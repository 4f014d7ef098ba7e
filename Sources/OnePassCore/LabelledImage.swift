/// An image with its class, before a stream has given it a position.
///
/// ```swift
/// let photo = LabelledImage(EncodedImage(bytes: jpeg), label: 3)
/// let grey = EncodedImage(bytes: pixels, encoding: .pixels(width: 28, height: 28, channels: 1))
/// let digit = LabelledImage(grey, label: 7)
/// ```
public struct LabelledImage: Sendable {
  public var image: EncodedImage
  /// The class, 0 ..< number of classes.
  public var label: Int
  /// Whom it is about, where that may have to be forgotten.
  public var subject: String?

  /// - Parameters:
  ///   - image: A JPEG or PNG file, or bare pixels.
  ///   - label: The class, 0 ..< number of classes.
  ///   - subject: Whom it is about, where that may have to be forgotten.
  public init(_ image: EncodedImage, label: Int, subject: String? = nil) {
    self.image = image
    self.label = label
    self.subject = subject
  }
}

extension Example {
  /// A labelled image at its place in a stream.
  package init(id: Int, _ labelled: LabelledImage) {
    self.init(id: id, label: labelled.label, image: labelled.image, subject: labelled.subject)
  }
}
