import Foundation
import OnePassCore
import OnePassReplay

/// Copies of a few images of the memory at the end of a run, for inspection.
///
/// `checkpoint/pictures/images.sqlite` is an ``/OnePassReplay/ImageArchive``: each image has a checksum, and forgetting
/// overwrites images in it.
struct KeptPictures {
  static let folder = "pictures"

  /// The number and size of the images; the same on every rank.
  let amount: RunResult.Pictures
  /// The images in the order of positions; empty on ranks other than the first.
  private var images: [SentImage] = []

  /// Copies the images with the highest and the lowest priorities.
  /// - Parameters:
  ///   - loop: The loop at the end of its run, on every rank.
  ///   - count: The number of images at each end.
  ///   - isWanted: Whether there is an output folder, on the first rank.
  init?(of loop: TrainingLoop, count: Int, isWanted: Bool) throws {
    guard count > 0, let rehearsal = loop.rehearsal,
      try loop.ranks.sum([loop.ranks.isFirst && isWanted ? 1 : 0])[0] > 0
    else { return nil }
    let memory = rehearsal.memory
    let extremes = PriorityExtremes(of: Array(memory.items), count: count)
    let items = extremes.highest + extremes.lowest
    let ids = extremes.ids
    amount = .init(examples: items.count, bytes: items.reduce(0) { $0 + $1.bytes })
    if let shared = rehearsal.images.transfer {
      try shared.collect(ids) { images.append($0) }
    } else {
      images = memory.images { ids.contains($0.id) }.map { SentImage(id: $0.id, image: $1) }
    }
    images.sort { $0.id < $1.id }
  }

  /// Writes the images, and the index of the memory, by which requests to forget find them.
  /// - Throws: `OnePassError` (`io`) if they cannot be written.
  func write(to run: RunFolder, with memory: ReplayMemory, encrypting keys: MemoryKeys?) throws {
    let path = try run.location(of: "\(Checkpoint.folder)/\(Checkpoint.indexName)")
    try run.reporting { try MemoryIndex.encode(memory.snapshot).write(to: URL(fileURLWithPath: path)) }
    let archive = try ImageArchive(
      folder: run.location(of: "\(Checkpoint.folder)/\(Self.folder)"),
      imageBytes: amount.bytes / max(1, amount.examples), keys: keys)
    for sent in images {
      try archive.insertInParts(sent.image, id: sent.id, subject: memory.subject(of: sent.id))
    }
    try archive.endParts()
  }

  /// Opens the images of a finished run for reading; `nil` if it has none.
  /// - Throws: `OnePassError`: `io` if they cannot be read, `badData` if they are damaged.
  static func reading(in checkpoint: String, _ keys: MemoryKeys?) throws -> ImageArchive? {
    try opened(in: checkpoint) { try ImageArchive(reading: $0, keys: keys) }
  }

  /// Removes images of a finished run, and overwrites them.
  /// - Throws: `OnePassError`: `io` if they cannot be changed, `badData` if they are damaged.
  static func remove(_ ids: Set<Int>, in checkpoint: String) throws {
    try opened(in: checkpoint) { try ImageArchive(folder: $0, imageBytes: 0) }?.removeAll(ids)
  }

  private static func opened(
    in checkpoint: String, _ open: (String) throws -> ImageArchive?
  ) throws -> ImageArchive? {
    let path = "\(checkpoint)/\(folder)"
    guard ImageArchive.exists(in: path) else { return nil }
    do { return try open(path) } catch let error as OnePassError where error.code == .badData {
      throw OnePassError.damagedKeptImages(path, cause: error)
    }
  }
}

extension RunConfiguration {
  /// The number of images at each end of the priorities that a finished run keeps.
  ///
  /// It is 0 with a time to live, which copies would outlive, and with a memory directory, which has all images.
  package var picturesKept: Int {
    method == .replay && memory.timeToLive == nil && memory.directory == nil ? memory.keepPictures : 0
  }
}
