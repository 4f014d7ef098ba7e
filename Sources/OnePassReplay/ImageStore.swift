import OnePassCore

/// Where a replay memory has its images, if not in blocks of its own.
///
/// The memory says what goes in and out, and never asks for what is not in. Belongs to one thread.
public protocol ImageStore: AnyObject {
  /// What is taken without any image.
  var fixedBytes: Int { get }

  /// What an image of so many bytes takes, at most.
  func bytes(forImageOf bytes: Int) -> Int

  /// Whether an unusual item takes what it does in the memory's own blocks.
  var countsUnusualItems: Bool { get }

  /// Whether the image under a position is with this process.
  func isHere(_ id: Int) -> Bool

  /// Whether an image of so many bytes can be kept at all.
  func admits(imageOf bytes: Int) -> Bool

  /// Keeps an image under its position in the stream.
  /// - Throws: `OnePassError` (`io`) if it cannot be kept.
  func insert(_ image: EncodedImage, id: Int) throws

  /// Removes an image of so many bytes.
  /// - Throws: `OnePassError` (`io`) if it cannot be removed.
  func remove(id: Int, imageBytes: Int) throws

  /// The image under a position.
  /// - Throws: `OnePassError` if it cannot be read (`io`) or is damaged (`badData`).
  func image(id: Int, imageBytes: Int) throws -> EncodedImage
}

extension ImageStore {
  public var countsUnusualItems: Bool { false }
  public func isHere(_ id: Int) -> Bool { true }
}

/// The images that this process holds of a memory that several processes share.
///
/// Every process has the whole index and makes the same choices; the bytes of an image are with one of them. What is
/// counted is what the memory takes in all processes together, the index once: what one process would count, but for bare
/// pixels that are unusual by their shape alone.
public final class SharedImages: ImageStore {
  private var images: [Int: EncodedImage] = [:]

  public init() {}

  /// Those that are here, by position.
  public var held: [Int: EncodedImage] { images }

  public var fixedBytes: Int { 0 }
  public var countsUnusualItems: Bool { true }
  public func bytes(forImageOf bytes: Int) -> Int { bytes }
  public func admits(imageOf bytes: Int) -> Bool { true }
  public func isHere(_ id: Int) -> Bool { images[id] != nil }

  public func insert(_ image: EncodedImage, id: Int) {
    if image.isHere { images[id] = image }
  }

  public func remove(id: Int, imageBytes: Int) { images[id] = nil }

  /// The image; one that says no more than its size where another process has it.
  public func image(id: Int, imageBytes: Int) -> EncodedImage {
    images[id] ?? EncodedImage(elsewhere: imageBytes)
  }
}
