import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// Removes examples from the memory of a run, and reports what was removed.
///
/// Items are removed from every saved state, and all stored copies of their images are overwritten. Nothing else of the run
/// changes; in particular, the weights are not unlearned.
///
/// ```swift
/// let request = ForgetRequest(positions: [1204])
/// let preview = try Forgetting(request, in: "runs/photos", isRehearsal: true)
/// print(preview.positions, preview.checkpoints)
/// ```
public struct Forgetting: Codable, Sendable {
  /// The positions of the removed items, over all saved states.
  public var positions: [Int]
  /// The saved states that contained at least one of them.
  public var checkpoints: [String]
  /// The number of memory images removed from the event files. Event images do not record their example, so all are removed.
  public var pictures: Int
  /// The number of subjects whose keys are destroyed now, in an encrypted memory; `nil` without a key file.
  public var keysDestroyed: Int?
  /// The recorded path of a key file that does not exist, so that no key could be destroyed; `nil` otherwise.
  public var missingKeyFile: String?
  /// The position of the subjects' first example; `nil` if it is not recorded.
  public var firstUse: Int?
  /// The saved states from before the first use, whose weights were not trained on the subjects.
  public var olderCheckpoints: [String]

  /// Removes the requested examples, and records the request in the audit log of the run, `forgotten.jsonl`.
  ///
  /// After a failure, repeat the request: it then continues.
  /// - Parameters:
  ///   - request: The examples to remove.
  ///   - path: The folder of the run, finished or not.
  ///   - location: Where the memory on disk and the key file are, if they were moved.
  ///   - isRehearsal: Whether to report only, without removing anything.
  /// - Throws: `OnePassError`: `io` if there is no run, `badData` if it is damaged, `usage` if another process uses it or the
  ///   request does not apply to it.
  public init(
    _ request: ForgetRequest, in path: String, at location: MemoryLocation = .init(),
    isRehearsal: Bool = false
  ) throws {
    var kept: Forgetting?
    if try KeptState.exists(in: path) {
      let state = try StoredRun(path, at: location, keptState: true)
      kept = try Forgetting(request, in: state, isRehearsal: isRehearsal)
    }
    try self.init(
      request, in: StoredRun(path, at: location), and: kept, isRehearsal: isRehearsal)
  }

  /// - Parameter kept: What was removed from the state that the run keeps. Without it, this is that state, and nothing is
  ///   recorded yet.
  private init(
    _ request: ForgetRequest, in run: StoredRun, and kept: Forgetting? = nil, isRehearsal: Bool
  ) throws {
    let path = run.path
    guard run.part != .unfinished || run.configuration.data.shuffleBuffer == nil else {
      throw OnePassError.forgettingWithShuffleBuffer(path)
    }
    guard run.isFinished || !run.hasCustomOrder else { throw OnePassError.forgettingWithCustomOrder(path) }
    var log =
      run.configuration.data.subjectKey == nil
      ? nil : try SubjectLog(path: "\(run.logFolder)/\(SubjectLog.fileName)")
    let passed = log.map { log in request.subjects.flatMap { log.positions(of: $0) } } ?? []
    let matches = try run.points.map { try request.matches(run, $0, passed: Set(passed)) }
    let gone = zip(run.points, matches).map { $0.items.filter($1).map(\.id) }
    let intent = run.checkpoints?.forgettingPath
    // The positions of an interrupted request, which may be removed in part.
    let begun = intent.flatMap { FileManager.default.contents(atPath: $0) }.flatMap {
      try? JSONDecoder().decode([Int].self, from: $0)
    }
    let positions = Set(gone.joined()).union(begun ?? []).union(kept?.positions ?? []).sorted()
    self.positions = positions
    checkpoints = (kept?.checkpoints ?? []) + zip(run.points, gone).filter { !$1.isEmpty }.map(\.0.name)

    let first = passed.min()
    firstUse = first
    olderCheckpoints = run.points.filter { point in first.map { point.examples <= $0 } ?? false }.map(\.name)
    let events = EventFolder(of: path)
    pictures = try events.pictures()?.count ?? 0
    let keys = try run.openKeysToDestroy(isRehearsal: isRehearsal)
    keysDestroyed = keys == nil ? nil : 0
    missingKeyFile = keys == nil && run.part != .keptState ? run.location.key : nil
    guard !isRehearsal else { return }

    // Images first. If this is interrupted, the indices still name the items for a repeated request, and the intent file keeps
    // the run from being resumed before.
    if let intent { try DurableFile.write(JSONEncoder().encode(positions), to: intent) }
    try run.scrub(Set(positions))
    // Other requests keep some images of the subject, if it has several.
    if request.isAboutSubjectsOnly { keysDestroyed = try keys?.destroy(subjects: request.subjects) }
    if run.part != .keptState {
      pictures = try events.removePictures()
      // Its images, if it has any, do not name their examples.
      try? FileManager.default.removeItem(atPath: "\(path)/\(RunFiles.pageName)")
    }
    for (index, items) in gone.enumerated() where !items.isEmpty {
      try run.rewrite(index, without: Set(items))
    }
    for (index, matches) in matches.enumerated() { try run.removeWaiting(at: index, where: matches) }
    if run.part != .keptState {
      // A class, time or position is not a request about a subject, so the log keeps the hashes.
      if request.isAboutSubjectsOnly { try log?.clear(passed) }
      try AuditLog(of: path).append(request, self)
    }
    if let intent { try? FileManager.default.removeItem(atPath: intent) }
  }
}

extension StoredRun {
  /// Opens the key file of an encrypted memory for changes; `nil` in one that is not encrypted, or whose recorded key file is gone.
  /// - Throws: `OnePassError`: `io` if a key file that was passed does not exist, `usage` if it is that of another run.
  fileprivate func openKeysToDestroy(isRehearsal: Bool) throws -> MemoryKeys? {
    guard part != .keptState, let path = location.key else { return nil }
    if path == configuration.memory.key, !FileManager.default.fileExists(atPath: path) { return nil }
    let keys = try isRehearsal ? MemoryKeys(reading: path) : MemoryKeys(file: path, creating: false)
    try checkKeys(keys)
    return keys
  }

  /// Overwrites all stored copies of images.
  fileprivate func scrub(_ ids: Set<Int>) throws {
    if part == .unfinished { removePartialResults() }
    for point in points where isFinished { try KeptPictures.remove(ids, in: point.folder) }
    if let images = diskImages, let last = points.last?.memory {
      // Images that an interrupted run stored after its last checkpoint are in no index, and may be among those to remove.
      if part == .unfinished, let archive {
        images.protect(Set(points.flatMap { $0.memory?.items.map(\.id) ?? [] }), in: archive)
        try images.restore(Set(last.items.map(\.id)), position: points.last?.examples ?? 0)
      }
      try images.scrub(ids)
    }
    if let archive {
      let kept = Set(points.flatMap { $0.memory?.items.map(\.id) ?? [] }).subtracting(ids)
      try archive.removeAll(archive.ids.filter { !kept.contains($0) })
    }
  }

  /// Removes the results of a run that was interrupted while it wrote them. A resumed run writes them again.
  private func removePartialResults() {
    RunFolder.removeLeftovers(of: path, evenComplete: true)
    for name in [Checkpoint.folder, "curve.csv", Ledger.fileName, SubjectLog.fileName, Evaluation.fileName] {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  /// Whether a custom selector, which is not available here, saved an order of the items.
  fileprivate var hasCustomOrder: Bool {
    points.compactMap(\.memory).contains { memory in
      (configuration.memory.drawing.isOwn && !memory.drawingArrangement.isEmpty)
        || (configuration.memory.evicting.isOwn && !memory.evictingArrangement.isEmpty)
    }
  }

  /// Removes items from a saved state.
  fileprivate func rewrite(_ index: Int, without ids: Set<Int>) throws {
    if isFinished {
      // Before the index: as long as it names the items, a repeated request removes all of them.
      try MemoryTable.remove(ids, from: "\(points[index].folder)/\(MemoryTable.fileName)")
      points[index].listed.removeAll { ids.contains($0.id) }
    }
    guard var snapshot = points[index].memory, let capacity = plan.capacity else { return }
    // A finished run draws no more items. An unfinished one has no such order here, see `hasCustomOrder`.
    if configuration.memory.drawing.isOwn { snapshot.drawingArrangement = [] }
    if configuration.memory.evicting.isOwn { snapshot.evictingArrangement = [] }
    var memory = ReplayMemory(
      capacity: capacity, inclusion: InclusionProbability(recencyBias: configuration.memory.recencyBias),
      drawing: configuration.memory.drawing.orUniform, evicting: configuration.memory.evicting.orUniform,
      seed: configuration.seed,
      store: diskImages, noteBytes: configuration.noteBytes)
    try memory.restore(snapshot, image: nil)
    try memory.forget { ids.contains($0.id) }
    let rest = memory.snapshot
    points[index].memory = rest
    if isFinished {
      try DurableFile.write(
        MemoryIndex.encode(rest), to: "\(points[index].folder)/\(Checkpoint.indexName)")
    } else {
      points[index].folder = try CheckpointFolder(path: points[index].folder).replace(
        Checkpoint.indexName, with: MemoryIndex.encode(rest)
      ).path
    }
  }

  /// Removes examples from a saved state that had been taken from a stream that cannot be read again, and were not trained yet.
  ///
  /// They have no position in the ledger, so they are selected by their subject, class or position alone.
  fileprivate func removeWaiting(at index: Int, where matches: (MemoryItem) -> Bool) throws {
    guard !isFinished else { return }
    let folder = CheckpointFolder(path: points[index].folder)
    guard
      var file = try ShuffleBufferFile(readingFrom: folder.path(of: ShuffleBufferFile.fileName))
    else { return }
    let saved = file.contents
    let rest = saved.unsettled.filter {
      !matches(
        MemoryItem(
          id: $0.id, label: $0.label, loss: 0, priority: 0, draws: 0, bytes: $0.image.byteCount,
          subject: $0.subject))
    }
    guard rest.count < saved.unsettled.count else { return }
    let renumbered = zip(saved.position..., rest).map { id, example in example.with(id: id) }
    file.contents = ShuffleBuffer.Snapshot(
      position: saved.position, basePosition: saved.basePosition, held: saved.held, unsettled: renumbered,
      peak: saved.peak)
    points[index].folder = try folder.replace(
      ShuffleBufferFile.fileName, with: file.encoded
    ).path
  }
}
