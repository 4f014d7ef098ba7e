import OnePassCore
import OnePassReplay

/// Brings the images of a shared memory to the first rank, which saves them, and back.
///
/// Each goes to the first rank once: what has left the memory never comes back. Both ways in portions, so that little is
/// under way at a time.
final class ImageTransfer {
  private let ranks: Ranks
  let images: SharedImages
  /// What the first rank has of this one.
  private var known: Set<Int> = []

  /// Bytes that the first rank receives at once, roughly.
  private static let portion = 64 << 20

  init(_ images: SharedImages, ranks: Ranks) {
    self.images = images
    self.ranks = ranks
  }

  /// Sends what the first rank does not have yet; there, `keep` is called for each image of all ranks.
  func collect(_ keep: (SentImage) throws -> Void) throws {
    let held = images.held
    try send(held.filter { !known.contains($0.key) }.map { SentImage(id: $0.key, image: $0.value) }, keep)
    known = Set(held.keys)
  }

  /// Sends images of these positions to the first rank, from whichever holds them; there, `keep` is called for each.
  func collect(_ ids: Set<Int>, _ keep: (SentImage) throws -> Void) throws {
    try send(images.held.filter { ids.contains($0.key) }.map { SentImage(id: $0.key, image: $0.value) }, keep)
  }

  private func send(_ images: [SentImage], _ keep: (SentImage) throws -> Void) throws {
    var left = images
    repeat {
      var parcels = Array(repeating: [SentImage](), count: ranks.count)
      parcels[0] = takePortion(of: &left)
      for image in try ranks.exchange(parcels).joined() { try keep(image) }
    } while try ranks.sum([Double(left.count)])[0] > 0
  }

  /// Gives each rank the images that it is to hold, on the first rank from where they are saved.
  /// - Parameters:
  ///   - ids: Of all images of the memory, the same on every rank.
  ///   - holder: The rank that is to hold an image.
  ///   - saved: Reads an image; asked on the first rank only.
  func distribute(_ ids: [Int], holder: (Int) -> Int, saved: (Int) throws -> EncodedImage) throws {
    var next = ids.startIndex
    while next < ids.endIndex {
      // The same portion on every rank, by number, as only the first one knows sizes.
      let portion = ids[next..<min(next + 256, ids.endIndex)]
      next = portion.endIndex
      var parcels = Array(repeating: [SentImage](), count: ranks.count)
      if ranks.isFirst {
        for id in portion { parcels[holder(id)].append(SentImage(id: id, image: try saved(id))) }
      }
      for sent in try ranks.exchange(parcels).joined() { images.insert(sent.image, id: sent.id) }
    }
    known = Set(images.held.keys)
  }

  private func takePortion(of images: inout [SentImage]) -> [SentImage] {
    var taken: [SentImage] = []
    var bytes = 0
    while bytes < Self.portion / ranks.count, let image = images.popLast() {
      bytes += image.image.byteCount
      taken.append(image)
    }
    return taken
  }
}
