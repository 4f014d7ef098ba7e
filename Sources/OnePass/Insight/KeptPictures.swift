import Foundation
import OnePassCore
import OnePassReplay

/// Copies of a few images that the memory held at the end of a run, kept so that they can be looked at.
///
/// `checkpoint/pictures/images.sqlite` is an ``/OnePassReplay/ImageArchive``: whoever has to forget one overwrites it there,
/// as in every other place, and each has its checksum.
struct KeptPictures {
  static let folder = "pictures"

  /// How many there are, and the bytes of their images; the same on every rank.
  let amount: RunResult.Pictures
  /// By position. On ranks but the first there are none.
  private var images: [SentImage] = []

  /// Takes copies of the images with the highest and the lowest priorities.
  /// - Parameters:
  ///   - loop: At the end of its run, on every rank.
  ///   - count: How many of each.
  ///   - isWanted: Whether there is a place to keep them, on the first rank.
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

  /// Writes them, and the index that says what they are: whom a request to forget is about is found by it.
  /// - Throws: `OnePassError` (`io`).
  func write(to run: RunFolder, with snapshot: MemorySnapshot) throws {
    let path = try run.location(of: "\(Checkpoint.folder)/\(Checkpoint.indexName)")
    try run.reporting { try MemoryIndex.encode(snapshot).write(to: URL(fileURLWithPath: path)) }
    let archive = try ImageArchive(
      folder: run.location(of: "\(Checkpoint.folder)/\(Self.folder)"),
      imageBytes: amount.bytes / max(1, amount.examples))
    for sent in images { try archive.insertInParts(sent.image, id: sent.id) }
    try archive.endParts()
  }

  /// The pictures in the checkpoint of a finished run, to be read; `nil` if it keeps none.
  /// - Throws: `OnePassError`: `io` if they cannot be read, `badData` if they are damaged.
  static func reading(in checkpoint: String) throws -> ImageArchive? {
    try opened(in: checkpoint) { try ImageArchive(reading: $0) }
  }

  /// Removes pictures from the checkpoint of a finished run, and overwrites them.
  /// - Throws: `OnePassError`, as above.
  static func remove(_ ids: Set<Int>, in checkpoint: String) throws {
    try opened(in: checkpoint) { try ImageArchive(folder: $0, imageBytes: 0) }?.removeAll(ids)
  }

  private static func opened(
    in checkpoint: String, _ open: (String) throws -> ImageArchive?
  ) throws -> ImageArchive? {
    let path = "\(checkpoint)/\(folder)"
    guard ImageArchive.exists(in: path) else { return nil }
    do { return try open(path) } catch let error as OnePassError where error.code == .badData {
      throw OnePassError(
        .badData,
        "The pictures in \(path) are damaged: remove that folder. They only serve `onepass memory inspect`.",
        cause: error)
    }
  }
}

extension RunConfiguration {
  /// How many images of each end of the priorities a finished run keeps: none where they would outlive their time, or where
  /// the memory directory has them anyway.
  package var picturesKept: Int {
    method == .replay && memory.timeToLive == nil && memory.directory == nil ? memory.keepPictures : 0
  }
}
