import OnePassCore
import OnePassReplay

/// Moves the images of a shared memory to the first rank, which saves them, and back.
///
/// Each image is sent to the first rank once, since an evicted image never returns to the memory. Transfers are made in portions,
/// which bounds their memory use.
final class ImageTransfer {
  private let ranks: Ranks
  let images: SharedImages
  /// The images of this rank that the first rank already has.
  private var known: Set<Int> = []

  /// Bytes that the first rank receives at a time, approximately.
  private static let portion = 64 << 20

  init(_ images: SharedImages, ranks: Ranks) {
    self.images = images
    self.ranks = ranks
  }

  /// Sends the images that the first rank does not have yet. The first rank calls `keep` for each image of all ranks.
  func collect(_ keep: (SentImage) throws -> Void) throws {
    let held = images.held
    try send(held.filter { !known.contains($0.key) }.map { SentImage(id: $0.key, image: $0.value) }, keep)
    known = Set(held.keys)
  }

  /// Sends the images of these examples to the first rank, which calls `keep` for each.
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

  /// Distributes saved images to the ranks that will hold them.
  /// - Parameters:
  ///   - ids: The examples of the memory, the same on every rank.
  ///   - holder: Returns the rank that will hold an image.
  ///   - saved: Reads an image. Called on the first rank only.
  func distribute(_ ids: [Int], holder: (Int) -> Int, saved: (Int) throws -> EncodedImage) throws {
    var next = ids.startIndex
    while next < ids.endIndex {
      // Portions are by number, since they must be the same on every rank and only the first has the sizes.
      let portion = ids[next..<min(next + 256, ids.endIndex)]
      next = portion.endIndex
      var parcels = Array(repeating: [SentImage](), count: ranks.count)
      if ranks.isFirst {
        for id in portion { parcels[holder(id)].append(SentImage(id: id, image: try saved(id))) }
      }
      for sent in try ranks.exchange(parcels).joined() {
        images.insert(sent.image, id: sent.id, subject: nil)
      }
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
