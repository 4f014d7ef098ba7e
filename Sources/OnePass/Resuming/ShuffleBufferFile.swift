import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// The contents of a shuffle buffer, as a file of a checkpoint.
///
/// The layout is little-endian. It begins with -1 if the images are encrypted. The position, the position of the underlying source,
/// and the peak in examples and in bytes follow. Then come the waiting examples, and the examples that were delivered but not
/// trained on yet. Each list follows its count.
///
/// An example is its id, its label, three sizes of pixels (0 for an encoded file), its subject and its image. Subject and image
/// follow their lengths; a missing subject has length −1. If the class has a name and no number, the label is the least integer,
/// and the name follows it, after its length.
struct ShuffleBufferFile {
  static let fileName = "shuffle-buffer"

  /// The contents, with the images as they are stored.
  var contents: ShuffleBuffer.Snapshot
  private let isEncrypted: Bool

  /// - Parameter keys: The keys with which the images are encrypted, not bound to positions, which can change.
  /// - Throws: `OnePassError` (`io`) if a new key cannot be written.
  init(sealing snapshot: ShuffleBuffer.Snapshot, with keys: MemoryKeys?) throws {
    isEncrypted = keys != nil
    contents =
      try keys.map { keys in
        try snapshot.mapImages { try keys.seal($0.image, id: nil, subject: $0.subject) }
      } ?? snapshot
  }

  /// The snapshot, with decrypted images, and the number of examples that were left out because their keys were destroyed.
  /// - Throws: `OnePassError`: `usage` if there are no keys, or an image in the buffer has a destroyed key; `badData` if an
  ///   image is damaged.
  func opened(with keys: MemoryKeys?, path: String) throws -> (
    snapshot: ShuffleBuffer.Snapshot, forgotten: Int
  ) {
    guard isEncrypted else { return (contents, 0) }
    guard let keys else { throw OnePassError.memoryKeyRequired }
    let rest = contents.unsettled.filter { !keys.isForgotten($0.image) }
    let forgotten = contents.unsettled.count - rest.count
    // The order of a buffer follows from all that it holds.
    guard !contents.held.contains(where: { keys.isForgotten($0.image) }),
      forgotten == 0 || contents.held.isEmpty
    else { throw OnePassError.keyOfBufferDestroyed(path) }
    let readable = ShuffleBuffer.Snapshot(
      position: contents.position, basePosition: contents.basePosition, held: contents.held,
      unsettled: zip(contents.position..., rest).map { id, example in
        example.with(id: forgotten > 0 ? id : example.id)
      }, peak: contents.peak)
    let snapshot = try readable.mapImages {
      guard let image = try keys.open($0.image, id: nil) else { throw OnePassError.damagedFile(path) }
      return image
    }
    return (snapshot, forgotten)
  }

  /// Writes the file.
  /// - Throws: `OnePassError` (`io`) if it cannot be written.
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
    if isEncrypted { bytes.append(integer: Int64(-1)) }
    let (position, basePosition, peak) = (contents.position, contents.basePosition, contents.peak)
    for number in [position, basePosition, peak.examples, peak.bytes] { bytes.append(integer: Int64(number)) }
    for examples in [contents.held, contents.unsettled] {
      bytes.append(integer: Int64(examples.count))
      for example in examples {
        bytes.append(integer: Int64(example.id))
        bytes.append(integer: example.className == nil ? Int64(example.label) : .min)
        if let name = example.className {
          bytes.append(integer: Int64(name.utf8.count))
          bytes += name.utf8
        }
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

  /// Reads a file; `nil` if there is none.
  /// - Throws: `OnePassError`: `badData` if the file is damaged, `io` if it cannot be read.
  init?(readingFrom path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
      throw OnePassError.unreadableFile(path, cause: error)
    }
    var reader = ByteReader(data: data, path: path)
    func number() throws -> Int { Int(try reader.integer() as Int64) }
    let first = try number()
    isEncrypted = first == -1
    let (position, basePosition) = (try isEncrypted ? number() : first, try number())
    let peak = ShuffleBuffer.Amount(examples: try number(), bytes: try number())
    let parts = try (0..<2).map { _ in
      try (0..<reader.count(of: 44)).map { _ in
        let (id, label) = (try number(), try number())
        let className = try label == .min ? reader.text() : nil
        let sizes = try (0..<3).map { _ in Int(try reader.integer() as Int32) }
        let length = try number()
        let subject = try length < 0 ? nil : String(decoding: reader.bytes(length), as: UTF8.self)
        let image = [UInt8](try reader.bytes(reader.count(of: 1)))
        return Example(
          id: id, label: label,
          image: EncodedImage(
            bytes: image,
            encoding: sizes[0] == 0 ? .file : .pixels(width: sizes[0], height: sizes[1], channels: sizes[2])),
          subject: subject, className: className)
      }
    }
    guard reader.isAtEnd else { throw reader.damage }
    contents = ShuffleBuffer.Snapshot(
      position: position, basePosition: basePosition, held: parts[0], unsettled: parts[1], peak: peak)
  }
}

extension ShuffleBuffer.Snapshot {
  /// The same examples with other forms of their images.
  fileprivate func mapImages(_ transform: (Example) throws -> EncodedImage) rethrows -> Self {
    func mapped(_ examples: [Example]) throws -> [Example] {
      try examples.map { try $0.with(image: transform($0)) }
    }
    return Self(
      position: position, basePosition: basePosition, held: try mapped(held),
      unsettled: try mapped(unsettled),
      peak: peak)
  }
}
