/// A labelled image with its position in the stream.
///
/// ```swift
/// let first = Example(id: 0, label: 3, image: EncodedImage(bytes: jpeg), subject: "patient-17")
/// ```
public struct Example: Sendable {
  /// The position in the stream, counted from 0 and unique within a pass.
  public let id: Int
  /// The class, 0 ..< number of classes. Without meaning if there is a `className`.
  public let label: Int
  /// The encoded image.
  public let image: EncodedImage
  /// The subject that the example is about, if the source reads it; see ``SubjectKey``.
  public let subject: String?
  /// The name of the class, if the stream neither numbers nor lists its classes; see `--classes open`.
  public let className: String?

  /// Creates an example from its position, label, image and subject.
  @inlinable
  public init(
    id: Int, label: Int, image: EncodedImage, subject: String? = nil, className: String? = nil
  ) {
    self.id = id
    self.label = label
    self.image = image
    self.subject = subject
    self.className = className
  }

  /// The same example with another position.
  package func with(id: Int) -> Example {
    Example(id: id, label: label, image: image, subject: subject, className: className)
  }

  /// The same example with another label, which is known now.
  package func with(label: Int) -> Example { Example(id: id, label: label, image: image, subject: subject) }

  /// The same example with its image in another form.
  package func with(image: EncodedImage) -> Example {
    Example(id: id, label: label, image: image, subject: subject, className: className)
  }
}
