import OnePassCore

/// The type of the elements in a batch of images.
///
/// ```swift
/// let pool = DecodePool(pipeline: pipeline, threads: 2, pixelType: .uint8)
/// ```
public enum PixelType: Hashable, Sendable {
  /// Normalised values, for a model on the CPU: normalisation is part of the last decoding pass.
  case float32
  /// Levels 0 … 255 in a quarter of the bytes, for a device that normalises them after the copy.
  case uint8

  /// The size of one element in bytes.
  public var size: Int {
    switch self {
    case .float32: MemoryLayout<Float>.stride
    case .uint8: MemoryLayout<UInt8>.stride
    }
  }
}
