import Foundation
import OnePassCore
import OnePassReplay

/// What was forgotten of a run.
///
/// Items are removed from every saved state, their images overwritten wherever they lie; the rest of the run is as it was.
/// The weights are not unlearned.
public struct Forgetting: Codable, Sendable {
  /// The positions of the items that are gone, of all saved states together.
  public var positions: [Int]
  /// The saved states that held one of them.
  public var checkpoints: [String]
  /// Pictures of the memory that are gone from the event files. They do not tell whom they show, so it is all of them.
  public var pictures: Int
  /// The first position at which the subject passed, where that is known.
  public var firstUse: Int?
  /// The saved states that are older than the first use: their weights have never seen the subject.
  public var olderCheckpoints: [String]

  /// Forgets, and notes it in the audit log of the run, `forgotten.jsonl`.
  /// - Parameters:
  ///   - request: What has to go.
  ///   - path: The folder of the run, finished or not.
  ///   - memoryDirectory: Where its memory is by now, if it has one on disk and that was moved.
  ///   - isRehearsal: Whether only to tell what would go.
  /// - Throws: `OnePassError`: `io` if there is no run, `badData` if it is damaged, `usage` if another process has it or the
  ///   request makes no sense. Give the same request again after a failure: it goes on.
  public init(
    _ request: ForgetRequest, in path: String, memoryDirectory: String? = nil, isRehearsal: Bool = false
  ) throws {
    let run = try StoredRun(path, memoryDirectory: memoryDirectory)
    guard run.isFinished || run.configuration.data.shuffleBuffer == nil else {
      throw OnePassError(
        .usage,
        "The run in \(path) is not finished, and its shuffle buffer holds examples that have not been trained on, of which "
          + "nothing is known: finish it with --resume, or remove it.")
    }
    guard run.isFinished || !run.hasOrderOfItsOwn else {
      throw OnePassError(
        .usage,
        "The run in \(path) is not finished, and a program's own selector keeps an order of the memory that only that program "
          + "can change: finish it there with --resume, or remove it.")
    }
    let gone = try run.points.map { point in
      (point.memory?.items ?? []).filter(try request.matches(run, point)).map(\.id)
    }
    let intent = UnfinishedRun.forgettingPath(in: path)
    // What an earlier attempt was about to remove and may have removed in part.
    let begun = FileManager.default.contents(atPath: intent).flatMap {
      try? JSONDecoder().decode([Int].self, from: $0)
    }
    positions = Set(gone.joined()).union(begun ?? []).sorted()
    checkpoints = zip(run.points, gone).filter { !$1.isEmpty }.map(\.0.name)

    var log =
      run.configuration.data.subjectKey == nil
      ? nil : try SubjectLog(path: "\(run.logFolder)/\(SubjectLog.fileName)")
    let passed = log.map { log in request.subjects.flatMap { log.positions(of: $0) } } ?? []
    let first = passed.min()
    firstUse = first
    olderCheckpoints = run.points.filter { point in first.map { point.examples <= $0 } ?? false }.map(\.name)
    let events = EventFolder(of: path)
    pictures = try events.pictures()?.count ?? 0
    guard !isRehearsal else { return }

    // Images first: should this break off, the indices still say what has to go when it is done again; and the run does
    // not go on before that.
    if !run.isFinished { try DurableFile.write(JSONEncoder().encode(positions), to: intent) }
    try run.scrub(Set(positions))
    pictures = try events.removePictures()
    for (index, items) in gone.enumerated() where !items.isEmpty {
      try run.rewrite(index, without: Set(items))
    }
    // Whoever is to be forgotten by class, time or position has not asked for it; the hashes stay.
    if request.isAboutSubjectsOnly { try log?.clear(passed) }
    try AuditLog(of: path).append(request, self)
    if !run.isFinished { try? FileManager.default.removeItem(atPath: intent) }
  }
}

extension StoredRun {
  /// Overwrites images wherever they lie.
  fileprivate func scrub(_ ids: Set<Int>) throws {
    if !isFinished { removeResultsInPart() }
    for point in points where isFinished { try KeptPictures.remove(ids, in: point.folder) }
    if let images = diskImages, let last = points.last?.memory {
      // What a run that was broken off took after its last checkpoint is nobody's, and may be what has to go.
      if let archive {
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

  /// Removes what a run left that was broken off while it wrote its results: they are written anew when it goes on.
  private func removeResultsInPart() {
    RunFolder.removeLeftovers(of: path, evenComplete: true)
    for name in [Checkpoint.folder, "curve.csv", Ledger.fileName, SubjectLog.fileName] {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  /// Whether a selector that is not at hand keeps an order of the items.
  fileprivate var hasOrderOfItsOwn: Bool {
    points.compactMap(\.memory).contains { memory in
      (configuration.memory.drawing.isOwn && !memory.drawingArrangement.isEmpty)
        || (configuration.memory.evicting.isOwn && !memory.evictingArrangement.isEmpty)
    }
  }

  /// Takes items out of a saved state.
  fileprivate func rewrite(_ index: Int, without ids: Set<Int>) throws {
    guard var snapshot = points[index].memory, let capacity = plan.capacity else { return }
    // Of a finished run nothing is drawn any more; one that is not finished keeps no such order here.
    if configuration.memory.drawing.isOwn { snapshot.drawingArrangement = [] }
    if configuration.memory.evicting.isOwn { snapshot.evictingArrangement = [] }
    var memory = ReplayMemory(
      capacity: capacity, inclusion: InclusionProbability(recencyBias: configuration.memory.recencyBias),
      drawing: configuration.memory.drawing.orUniform, evicting: configuration.memory.evicting.orUniform,
      seed: configuration.seed,
      store: diskImages, predictedClasses: configuration.predictedClasses(of: plan))
    try memory.restore(snapshot, image: nil)
    try memory.forget { ids.contains($0.id) }
    let rest = memory.snapshot
    points[index].memory = rest
    if isFinished {
      let folder = points[index].folder
      // The index last: as long as it names the items, doing it again does all of it again.
      try DurableFile.write(Data(MemoryTable(items: rest.items).csv.utf8), to: "\(folder)/memory.csv")
      try DurableFile.write(MemoryIndex.encode(rest), to: "\(folder)/\(Checkpoint.indexName)")
    } else {
      try CheckpointFolder(path: points[index].folder).replace(
        Checkpoint.indexName, with: MemoryIndex.encode(rest))
    }
  }
}
