import OnePassCore

/// External storage of a replay memory's images.
///
/// The memory inserts and removes images, and requests only images that are stored. A store is used on one thread.
///
/// ```swift
/// let images = SharedImages()
/// let memory = ReplayMemory(capacity: .examples(6_000), seed: 1, store: images)
/// print(memory.count, images.held.count)
/// ```
public protocol ImageStore: AnyObject {
  /// The size of the store without images, in bytes.
  var fixedBytes: Int { get }

  /// Returns an upper bound of the stored size of an image, in bytes.
  /// - Parameter bytes: The size of the encoded image.
  func bytes(forImageOf bytes: Int) -> Int

  /// Returns whether this process has the image of an example. `true` by default.
  func isHere(_ id: Int) -> Bool

  /// Returns whether an image of this size can be stored.
  func admits(imageOf bytes: Int) -> Bool

  /// Stores an image under its position in the stream.
  /// - Parameters:
  ///   - image: The image.
  ///   - id: The position.
  ///   - subject: The subject of the example, if the stream records it.
  /// - Throws: `OnePassError` (`io`) if it cannot be stored.
  func insert(_ image: EncodedImage, id: Int, subject: String?) throws

  /// Removes an image.
  /// - Throws: `OnePassError` (`io`) if it cannot be removed.
  func remove(id: Int, imageBytes: Int) throws

  /// Returns the image of an example.
  /// - Throws: `OnePassError` if it cannot be read (`io`) or is damaged (`badData`).
  func image(id: Int, imageBytes: Int) throws -> EncodedImage
}

extension ImageStore {
  public func isHere(_ id: Int) -> Bool { true }
}

/// The images of this process, in a memory that several processes share.
///
/// Every process has the whole index and makes the same choices. Each image is with one process.
///
/// ```swift
/// let images = SharedImages()
/// images.insert(example.image, id: example.id, subject: nil)
/// print(images.isHere(example.id))  // true
/// ```
///
/// The counted size is that of the memory in all processes, with the index once. It equals the size in one process.
public final class SharedImages: ImageStore {
  private var images: [Int: EncodedImage] = [:]

  /// Creates an empty store.
  public init() {}

  /// The images of this process, by position.
  public var held: [Int: EncodedImage] { images }

  public var fixedBytes: Int { 0 }
  public func bytes(forImageOf bytes: Int) -> Int { bytes }
  public func admits(imageOf bytes: Int) -> Bool { true }
  public func isHere(_ id: Int) -> Bool { images[id] != nil }

  /// Stores an image, if its bytes are with this process.
  public func insert(_ image: EncodedImage, id: Int, subject: String?) {
    if image.isHere { images[id] = image }
  }

  public func remove(id: Int, imageBytes: Int) { images[id] = nil }

  /// Returns the image, or a placeholder with its size if another process has it.
  public func image(id: Int, imageBytes: Int) -> EncodedImage {
    images[id] ?? EncodedImage(elsewhere: imageBytes)
  }
}
