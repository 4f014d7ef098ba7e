import OnePassCore

/// The numbers that a batch of images holds.
public enum PixelType: Hashable, Sendable {
  /// Normalised already; for a model on the CPU, since the processor that decodes normalises in the same pass.
  case float32
  /// Levels 0 … 255, a quarter of the bytes; for a device that they are copied to, which normalises them itself.
  case uint8

  /// Bytes of one number.
  public var size: Int {
    switch self {
    case .float32: MemoryLayout<Float>.stride
    case .uint8: MemoryLayout<UInt8>.stride
    }
  }
}
