import Foundation
import OnePassCore
import OnePassReplay

/// What the ledger of a pass says of one example: its position and a hash of its bytes, in 16 bytes.
///
/// Little-endian: 5 bytes of position, 11 bytes of the XXH3-128 of the image as it arrived. Among 10^9 different images
/// the chance that two share 88 bits is below 2 in 10^9.
struct LedgerEntry: Hashable {
  let position: Int
  let hash: Hash

  /// The first 88 bits of the hash.
  struct Hash: Hashable, Comparable {
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

    static func < (a: Hash, b: Hash) -> Bool { (a.first, a.rest) < (b.first, b.rest) }
  }

  static let bytes = 16
  private static let positionBytes = 5

  init(of example: Example) {
    position = example.id
    hash = Hash(of: example.image)
  }

  /// - Precondition: `bytes` holds an entry at `offset`.
  init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    func integer(_ start: Int, _ count: Int) -> UInt64 {
      (0..<count).reversed().reduce(0) { $0 << 8 | UInt64(bytes[offset + start + $1]) }
    }
    position = Int(integer(0, Self.positionBytes))
    hash = Hash(first: integer(Self.positionBytes, 8), rest: UInt32(integer(Self.positionBytes + 8, 3)))
  }

  func write(to bytes: inout [UInt8]) {
    withUnsafeBytes(of: UInt64(position).littleEndian) { bytes += $0.prefix(Self.positionBytes) }
    hash.write(to: &bytes)
  }
}
