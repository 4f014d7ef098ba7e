import Foundation
import OnePassCore
import OnePassData

// The contents of a shuffle buffer, as a file of a checkpoint.
//
// The layout is little-endian: the position, the position of the underlying source, the peak in examples and in bytes, then
// the waiting examples, and the examples that were delivered but not trained on yet. Each list follows its count.
//
// An example is its id, its label, three sizes of pixels (0 for an encoded file), its subject and its image. Subject and image
// follow their lengths; a missing subject has length −1.
extension ShuffleBuffer.Snapshot {
  static let fileName = "shuffle-buffer"

  /// Writes the snapshot.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  func write(to path: String) throws {
    let file = AppendedFile(path: path)
    try encode { try file.append($0) }
    try file.makeDurable()
  }

  /// The file.
  var encoded: Data {
    var data = Data()
    encode { data += $0 }
    return data
  }

  private func encode(_ append: ([UInt8]) throws -> Void) rethrows {
    var bytes: [UInt8] = []
    for number in [position, basePosition, peak.examples, peak.bytes] { bytes.append(integer: Int64(number)) }
    for examples in [held, unsettled] {
      bytes.append(integer: Int64(examples.count))
      for example in examples {
        bytes.append(integer: Int64(example.id))
        bytes.append(integer: Int64(example.label))
        var sizes: [Int] = [0, 0, 0]
        if case .pixels(let width, let height, let channels) = example.image.encoding {
          sizes = [width, height, channels]
        }
        for size in sizes { bytes.append(integer: Int32(size)) }
        bytes.append(integer: Int64(example.subject?.utf8.count ?? -1))
        bytes += (example.subject ?? "").utf8
        bytes.append(integer: Int64(example.image.bytes.count))
        try append(bytes + example.image.bytes)
        bytes = []
      }
    }
    try append(bytes)
  }

  /// Reads a snapshot; `nil` if there is no file.
  /// - Throws: `OnePassError`: `badData` if the file is damaged, `io` if it cannot be read.
  init?(readingFrom path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
    var reader = ByteReader(data: data, path: path)
    func number() throws -> Int { Int(try reader.integer() as Int64) }
    let (position, basePosition) = (try number(), try number())
    let peak = ShuffleBuffer.Amount(examples: try number(), bytes: try number())
    let parts = try (0..<2).map { _ in
      try (0..<reader.count(of: 44)).map { _ in
        let (id, label) = (try number(), try number())
        let sizes = try (0..<3).map { _ in Int(try reader.integer() as Int32) }
        let length = try number()
        let subject = try length < 0 ? nil : String(decoding: reader.bytes(length), as: UTF8.self)
        let image = [UInt8](try reader.bytes(reader.count(of: 1)))
        return Example(
          id: id, label: label,
          image: EncodedImage(
            bytes: image,
            encoding: sizes[0] == 0 ? .file : .pixels(width: sizes[0], height: sizes[1], channels: sizes[2])),
          subject: subject)
      }
    }
    guard reader.isAtEnd else { throw reader.damage }
    self.init(
      position: position, basePosition: basePosition, held: parts[0], unsettled: parts[1], peak: peak)
  }
}
