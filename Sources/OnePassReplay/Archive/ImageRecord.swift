import CXXHash
import OnePassCore

/// The record of an image in the archive: format, checksum, bytes, and zeros up to whole pages.
///
/// Integers are little-endian: 8 bytes for the size, 4 each for width, height and channels of raw pixels (0 for a file), and 8
/// for the checksum. The bytes of the image follow.
enum ImageRecord {
  static let headerBytes = 28

  /// - Parameter padded: The size of the whole record; at least `headerBytes` plus the image's size.
  static func encode(_ image: EncodedImage, id: Int, padded: Int) -> [UInt8] {
    let (width, height, channels) = shape(of: image)
    return [UInt8](unsafeUninitializedCapacity: padded) { bytes, count in
      let buffer = UnsafeMutableRawBufferPointer(bytes)
      var offset = 0
      func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) {
          UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyMemory(from: $0)
          offset += $0.count
        }
      }
      append(UInt64(image.byteCount))
      for number in [width, height, channels] { append(UInt32(truncatingIfNeeded: number)) }
      append(checksum(of: image, id: id))
      image.withUnsafeBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: buffer[offset...]).copyMemory(
          from: UnsafeRawBufferPointer($0))
      }
      bytes[(offset + image.byteCount)...].update(repeating: 0)
      count = padded
    }
  }

  /// Reads the image of a record; `nil` if it does not match its checksum.
  /// - Parameters:
  ///   - size: The size of the whole record.
  ///   - id: The position of the example.
  ///   - read: Fills a buffer, starting at an offset of the record.
  static func read(
    size: Int, id: Int, with read: (UnsafeMutableRawBufferPointer, Int) throws -> Void
  ) throws -> EncodedImage? {
    guard size >= headerBytes else { return nil }
    var header = [UInt8](repeating: 0, count: headerBytes)
    try header.withUnsafeMutableBytes { try read($0, 0) }
    func integer<Value: FixedWidthInteger>(_ offset: Int, as type: Value.Type) -> Value {
      header.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: type)) }
    }
    let count = integer(0, as: UInt64.self)
    guard count <= UInt64(size - headerBytes) else { return nil }
    let bytes = try [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
      try read(
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<Int(count)]),
        headerBytes)
      filled = Int(count)
    }
    let shape = [8, 12, 16].map { Int(integer($0, as: UInt32.self)) }
    let image = EncodedImage(
      bytes: bytes,
      encoding: shape == [0, 0, 0] ? .file : .pixels(width: shape[0], height: shape[1], channels: shape[2]))
    return checksum(of: image, id: id) == integer(20, as: UInt64.self) ? image : nil
  }

  private static func shape(of image: EncodedImage) -> (width: Int, height: Int, channels: Int) {
    switch image.encoding {
    case .file: (0, 0, 0)
    case .pixels(let width, let height, let channels): (width, height, channels)
    }
  }

  /// XXH3 of the bytes, seeded with the position and the format of the image.
  private static func checksum(of image: EncodedImage, id: Int) -> UInt64 {
    let (width, height, channels) = shape(of: image)
    let seed =
      UInt64(bitPattern: Int64(id))
      ^ (UInt64(truncatingIfNeeded: width) << 48 ^ UInt64(truncatingIfNeeded: height) << 32
        ^ UInt64(truncatingIfNeeded: channels) << 30)
    return image.withUnsafeBufferPointer { XXH3_64bits_withSeed($0.baseAddress, $0.count, seed) }
  }
}
