import OnePassCore

/// An image with the name under which its prediction is reported, or the reason why it cannot be read.
///
/// ```swift
/// let shot = NamedImage("camera 3, frame 17", .success(EncodedImage(bytes: jpeg)))
/// ```
public struct NamedImage: Sendable {
  /// The name, for example the path of a file.
  public let name: String
  /// The encoded image, or the error of reading it.
  public let image: Result<EncodedImage, OnePassError>

  /// Creates an image with a name.
  public init(_ name: String, _ image: Result<EncodedImage, OnePassError>) {
    (self.name, self.image) = (name, image)
  }
}

/// Unlabelled images that are read in order: files, frames of a camera, messages of a queue.
///
/// An input is read by one thread.
///
/// ```swift
/// final class Frames: ImageInput {
///   let specification = "camera 3"
///   var waiting: [[UInt8]] = []
///   func next() -> NamedImage? {
///     waiting.popLast().map { NamedImage("frame \(waiting.count)", .success(EncodedImage(bytes: $0))) }
///   }
/// }
/// ```
public protocol ImageInput: AnyObject {
  /// The name of the input in messages.
  var specification: String { get }

  /// Whether ``next()`` returns at once; `false` if it waits for an image that has not arrived yet.
  var isReady: Bool { get }

  /// Returns the next image, or `nil` at the end.
  /// - Throws: `OnePassError` if the input itself cannot be read. An image that cannot be read is returned with its error.
  func next() throws -> NamedImage?

  /// What the input has left out and chosen so far.
  var report: SourceReport { get }
}

extension ImageInput {
  /// The default: images never have to be awaited.
  public var isReady: Bool { true }
  /// The default: nothing was left out or chosen.
  public var report: SourceReport { SourceReport() }
}

/// The images of a source, without their labels.
///
/// ```swift
/// let images = SourceImages(try SourceRegistry.open("fashion-mnist:test", seed: 1))
/// ```
public final class SourceImages: ImageInput {
  private let source: any ExampleSource

  /// Creates an input of the images of a source.
  public init(_ source: any ExampleSource) { self.source = source }

  /// The specification of the source.
  public var specification: String { source.specification }
  /// What the source has left out and chosen so far.
  public var report: SourceReport { source.report }

  /// The next image, named by its file, or by the source and its position; `nil` at the end.
  /// - Throws: The errors of the source.
  public func next() throws -> NamedImage? {
    guard let example = try source.next() else { return nil }
    let name = source.location(of: example.id)
    return NamedImage(
      name ?? "\(SourceRegistry.withoutSecrets(specification)) example \(example.id)", .success(example.image)
    )
  }
}
