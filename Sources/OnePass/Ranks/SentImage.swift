import Foundation
import OnePassCore

/// An image that is sent to another rank, with the position of its example in the stream.
struct SentImage {
  let id: Int
  let image: EncodedImage
}

extension SentImage: RankRecord {
  static let leastBytes = 8 + 12 + 8

  func write(to data: inout Data) {
    data.append(integer: Int64(id))
    let sides =
      switch image.encoding {
      case .file: [0, 0, 0]
      case .pixels(let width, let height, let channels): [width, height, channels]
      }
    for side in sides { data.append(integer: UInt32(side)) }
    data.append(integer: UInt64(image.byteCount))
    image.withUnsafeBufferPointer { data.append(contentsOf: $0) }
  }

  init(from reader: inout ByteReader) throws {
    id = Int(try reader.integer() as Int64)
    let sides = try (0..<3).map { _ in Int(try reader.integer() as UInt32) }
    let bytes = Array(try reader.bytes(reader.count(of: 1)))
    image = EncodedImage(
      bytes: bytes,
      encoding: sides[0] == 0 ? .file : .pixels(width: sides[0], height: sides[1], channels: sides[2]))
  }
}
