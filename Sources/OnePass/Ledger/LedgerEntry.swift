import Foundation
import OnePassCore
import OnePassReplay

/// The entry of one example in a ledger: its position and a hash of its image, in 16 bytes.
///
/// The layout is little-endian: 5 bytes of position, then 11 bytes of the XXH3-128 of the encoded image. Among 10^9 different
/// images, the probability of a collision of these 88 bits is below 2 · 10^−9.
struct LedgerEntry: Hashable {
  let position: Int
  let hash: Hash

  /// The first 88 bits of the hash.
  struct Hash: Hashable {
    private let first: UInt64
    private let rest: UInt32

    init(of image: EncodedImage) {
      let hash = image.withUnsafeBufferPointer { ContentHash(of: UnsafeRawBufferPointer($0)) }
      (first, rest) = (hash.low, UInt32(truncatingIfNeeded: hash.high & 0xFF_FFFF))
    }

    fileprivate init(first: UInt64, rest: UInt32) { (self.first, self.rest) = (first, rest) }

    fileprivate func write(to bytes: inout [UInt8]) {
      withUnsafeBytes(of: first.littleEndian) { bytes += $0 }
      withUnsafeBytes(of: rest.littleEndian) { bytes += $0.prefix(3) }
    }

  }

  static let bytes = 16
  private static let positionBytes = 5

  init(of example: Example) {
    position = example.id
    hash = Hash(of: example.image)
  }

  /// The position of the entry at `offset`.
  static func position(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int {
    let first = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    return Int(first & (1 << (8 * UInt64(positionBytes)) - 1))
  }

  /// - Precondition: `bytes` has an entry at `offset`.
  init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    func integer(_ start: Int, _ count: Int) -> UInt64 {
      (0..<count).reversed().reduce(0) { $0 << 8 | UInt64(bytes[offset + start + $1]) }
    }
    position = Self.position(bytes, at: offset)
    hash = Hash(first: integer(Self.positionBytes, 8), rest: UInt32(integer(Self.positionBytes + 8, 3)))
  }

  func write(to bytes: inout [UInt8]) {
    withUnsafeBytes(of: UInt64(position).littleEndian) { bytes += $0.prefix(Self.positionBytes) }
    hash.write(to: &bytes)
  }
}
