import OnePassCore

/// What is done to an image between its bytes and the model: decode, resize or pad, crop, flip, normalise.
///
/// A value without state: every random choice is a function of the seed, the example and the visit, so that no
/// number of threads changes a result. ``DecodePool`` carries it out.
///
/// ```swift
/// let pipeline = ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250))
/// let pool = DecodePool(pipeline: pipeline, threads: 2)
/// ```
///
/// Levels are rounded to 8 bits after each pass of the resize, the horizontal one first, as Pillow and torchvision's
/// 8-bit path do. On 200 ImageNet photographs the mean absolute difference is 0.02 levels, nearly all of it from
/// portrait ones, which Pillow 13 (python-pillow/Pillow#9549) takes vertical pass first.
/// Source: Hu et al. 2021, section 2.
public struct ImagePipeline: Hashable, Sendable, Codable {
  /// How an image of any size becomes a square of `size`.
  public enum Geometry: Hashable, Sendable, Codable {
    /// Squash to `resize` x `resize` (antialiased bilinear), then cut out `size` x `size`. For photographs.
    case resizeAndCrop(resize: Int)
    /// Add `padding` black pixels on each side, then cut out `size` x `size`. For small images.
    ///
    /// An image of another size is first resized to `size` x `size`.
    case padAndCrop(padding: Int)
  }

  /// Which crop of an image is taken.
  public enum View: Hashable, Sendable {
    /// A uniformly random crop, flipped left to right every other time; the same for the same three numbers.
    case augmented(seed: UInt64, id: Int, visit: Int)
    /// The centre, never flipped: for evaluation and for naive one-pass training.
    case centre
  }

  /// The longer side, in pixels, up to which an image counts as small.
  public static let largestSmallImage = 64

  /// Pixels of a side of what the model sees.
  public let size: Int
  /// 3 (RGB) or 1 (grey).
  public let channels: Int
  public let geometry: Geometry
  public let normalisation: Normalisation

  /// - Parameters:
  ///   - size: pixels of a side of what the model sees.
  ///   - channels: 3 (RGB) or 1 (grey).
  ///   - geometry: how an image of any size becomes a square of `size`.
  ///   - normalisation: ``Normalisation/standard(channels:)`` unless given.
  /// - Precondition: `size >= 1`; 1 or 3 channels; `resize >= size`; `padding >= 0`; a normalisation of `channels`.
  public init(size: Int, channels: Int, geometry: Geometry, normalisation: Normalisation? = nil) {
    let normalisation = normalisation ?? .standard(channels: channels)
    precondition(size >= 1, "An image has at least one pixel a side.")
    precondition(channels == 1 || channels == 3, "An image has 1 or 3 channels.")
    precondition(normalisation.mean.count == channels, "A normalisation has one mean for each channel.")
    switch geometry {
    case .resizeAndCrop(let resize): precondition(resize >= size, "A crop is not larger than the image.")
    case .padAndCrop(let padding): precondition(padding >= 0, "A padding is not negative.")
    }
    self.size = size
    self.channels = channels
    self.geometry = geometry
    self.normalisation = normalisation
  }

  /// Numbers of one image: size · size · channels.
  public var elementsPerImage: Int { size * size * channels }

  /// The side, in pixels, of what crops are taken from: every image is resized to it first.
  package var plane: Int {
    switch geometry {
    case .resizeAndCrop(let resize): resize
    case .padAndCrop: size
    }
  }

  /// The pipeline that suits a stream, judged by its first image.
  ///
  /// - Images of at most 64 pixels a side are padded by 4 and cropped at their own size (the longer side).
  /// - Larger ones are resized to 250 and cropped to 224, as the paper does.
  /// - With an explicit `size` S: up to 64, pad by 4 and crop S; above, resize to S · 250 / 224 and crop S.
  ///
  /// Bare pixels keep their own number of channels, unless `channels` says another. Files become RGB, since
  /// one grey photograph at the start says nothing of the rest.
  /// - Throws: `OnePassError` (`usage`) if `size` is not 1 … 4096.
  public static func automatic(
    firstImage: ImageHeader, size: Int? = nil, channels: Int? = nil
  ) throws -> ImagePipeline {
    let channels = channels ?? (firstImage.format == nil ? firstImage.channels : 3)
    if let size, !(1...4096).contains(size) {
      throw OnePassError(.usage, "An image size of \(size) is not possible: give 1 to 4096 pixels a side.")
    }
    let longer = max(firstImage.width, firstImage.height)
    let side = size ?? (longer <= largestSmallImage ? longer : 224)
    let geometry: Geometry =
      side <= largestSmallImage
      ? .padAndCrop(padding: 4)
      : .resizeAndCrop(resize: Int((Double(side) * 250 / 224).rounded()))
    return ImagePipeline(size: side, channels: channels, geometry: geometry)
  }
}
