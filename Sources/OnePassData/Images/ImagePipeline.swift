import OnePassCore

/// The steps from an image's bytes to the model's input: decode, resize or pad, crop, flip, normalise.
///
/// A pipeline is a value without state. Every random choice is a function of the seed, the example and the visit, so
/// results do not depend on the number of threads. ``DecodePool`` applies it.
///
/// ```swift
/// let pipeline = ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250))
/// let pool = DecodePool(pipeline: pipeline, threads: 2)
/// ```
///
/// Levels are rounded to 8 bits after each pass of the resize, the horizontal one first, as Pillow and torchvision's
/// 8-bit path do. On 200 ImageNet photographs the mean absolute difference from them is 0.02 levels. Nearly all of it
/// comes from portrait images, for which Pillow 13 makes the vertical pass first (python-pillow/Pillow#9549).
///
/// Source: Hu et al. 2021, section 2.
public struct ImagePipeline: Hashable, Sendable, Codable {
  /// How an image of any size becomes a square of `size` x `size` pixels.
  ///
  /// ```swift
  /// let small = ImagePipeline(size: 32, channels: 3, geometry: .padAndCrop(padding: 4))
  /// ```
  public enum Geometry: Hashable, Sendable, Codable {
    /// Resize to `resize` x `resize` (antialiased bilinear, ignoring the aspect ratio), then crop. For photographs.
    case resizeAndCrop(resize: Int)
    /// Add `padding` black pixels on each side, then crop. For small images.
    ///
    /// An image of another size is first resized to `size` x `size`.
    case padAndCrop(padding: Int)
  }

  /// The crop of an image.
  ///
  /// ```swift
  /// let views = examples.map { ImagePipeline.View.augmented(seed: 1, id: $0.id, visit: 0) }
  /// ```
  public enum View: Hashable, Sendable {
    /// A uniformly random crop, flipped left to right with probability 1/2. A function of the three values.
    case augmented(seed: UInt64, id: Int, visit: Int)
    /// The centre, never flipped: for evaluation and for naive one-pass training.
    case centre
  }

  /// The longer side, in pixels, up to which an image counts as small.
  public static let largestSmallImage = 64

  /// The side of the model's input, in pixels.
  public let size: Int
  /// The number of channels: 3 (RGB) or 1 (grey).
  public let channels: Int
  /// How an image of any size becomes a square.
  public let geometry: Geometry
  /// The mean and the deviation by which levels are normalised.
  public let normalisation: Normalisation
  /// Whether images are turned upright according to their metadata before all else.
  public let orientation: OrientationPolicy

  /// Creates a pipeline.
  /// - Parameters:
  ///   - size: The side of the model's input, in pixels.
  ///   - channels: The number of channels: 3 (RGB) or 1 (grey).
  ///   - geometry: How an image of any size becomes a square.
  ///   - normalisation: The normalisation; by default ``Normalisation/standard(channels:)``.
  ///   - orientation: Whether images are turned upright according to their metadata.
  /// - Precondition: `size >= 1`; 1 or 3 channels; `resize >= size`; `padding >= 0`; a normalisation of `channels`.
  public init(
    size: Int, channels: Int, geometry: Geometry, normalisation: Normalisation? = nil,
    orientation: OrientationPolicy = .ignore
  ) {
    let normalisation = normalisation ?? .standard(channels: channels)
    precondition(size >= 1, "The size must be at least one pixel.")
    precondition(channels == 1 || channels == 3, "The number of channels must be 1 or 3.")
    precondition(normalisation.mean.count == channels, "A normalisation needs one mean per channel.")
    switch geometry {
    case .resizeAndCrop(let resize): precondition(resize >= size, "A crop must not be larger than the image.")
    case .padAndCrop(let padding): precondition(padding >= 0, "The padding must not be negative.")
    }
    self.size = size
    self.channels = channels
    self.geometry = geometry
    self.normalisation = normalisation
    self.orientation = orientation
  }

  /// The number of elements of one image: size · size · channels.
  public var elementsPerImage: Int { size * size * channels }

  /// The side of the resized image from which crops are taken, in pixels.
  package var plane: Int {
    switch geometry {
    case .resizeAndCrop(let resize): resize
    case .padAndCrop: size
    }
  }

  /// Chooses a pipeline for a stream of images like one of them.
  ///
  /// - Images of at most 64 pixels a side are padded by 4 and cropped to their longer side.
  /// - Larger images are resized to 250 and cropped to 224, as in the paper.
  /// - With an explicit `size` S: up to 64, pad by 4 and crop to S; above, resize to S · 250 / 224 and crop to S.
  ///
  /// By default, raw pixels keep their number of channels. Files are decoded to RGB, because one grey photograph at the
  /// start does not mean that the stream is grey.
  /// - Parameters:
  ///   - typicalImage: The header of a typical image of the stream; ``automatic(images:size:channels:orientation:)`` finds one.
  ///   - size: The side of the model's input in pixels, 1 … 4096.
  ///   - channels: The number of channels, 1 or 3.
  ///   - orientation: Whether images are turned upright according to their metadata.
  /// - Throws: `OnePassError` (`usage`) if `size` is not 1 … 4096.
  public static func automatic(
    typicalImage: ImageHeader, size: Int? = nil, channels: Int? = nil,
    orientation: OrientationPolicy = .ignore
  ) throws -> ImagePipeline {
    let channels = channels ?? (typicalImage.format == nil ? typicalImage.channels : 3)
    if let size, !(1...4096).contains(size) {
      throw OnePassError.imageSizeIsOutOfRange(size)
    }
    let longer = max(typicalImage.width, typicalImage.height)
    let side = size ?? (longer <= largestSmallImage ? longer : 224)
    let geometry: Geometry =
      side <= largestSmallImage
      ? .padAndCrop(padding: 4)
      : .resizeAndCrop(resize: Int((Double(side) * 250 / 224).rounded()))
    return ImagePipeline(size: side, channels: channels, geometry: geometry, orientation: orientation)
  }
}
