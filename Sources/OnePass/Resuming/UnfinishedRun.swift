import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

/// What is on disk of a run that has not come to its end: its last checkpoints, and the images that they hold.
///
/// ```
/// DIR/unfinished/step-00000120/   weights, momentum, position, the memory's index; the last two are kept
/// DIR/unfinished/images.sqlite    the images of both; where the memory is on disk, those that it has given up since
/// DIR/unfinished/ledger           what was taken from the stream
/// ```
///
/// A checkpoint costs what has changed: images that are there already are not written again.
package final class UnfinishedRun {
  package static let folderName = "unfinished"
  private static let lockName = ".lock"
  let path: String
  var ledgerPath: String { "\(path)/\(Ledger.fileName)" }
  private let output: String
  /// How many checkpoints are kept.
  private let kept: Int
  private var lock: Int32 = -1
  private var archive: ImageArchive?
  /// The images of the checkpoints that are kept, by checkpoint, the oldest first.
  private var held: [(checkpoint: CheckpointFolder, ids: Set<Int>)] = []

  /// - Parameter output: The folder of the run.
  init(in output: String, kept: Int) {
    self.output = output
    self.kept = kept
    path = "\(output)/\(Self.folderName)"
  }

  deinit { unlock() }

  /// Whether there is anything to go on from.
  var hasCheckpoint: Bool { get throws { try Self.hasCheckpoint(in: output) } }

  /// Whether there is, or was before the folder vanished.
  var hadCheckpoint: Bool { !held.isEmpty || (try? hasCheckpoint) ?? true }

  /// - Throws: `OnePassError` (`io`) if that cannot be told.
  static func hasCheckpoint(in output: String) throws -> Bool {
    try !checkpoints(in: "\(output)/\(folderName)").isEmpty
  }

  /// The step after which a run was saved last; `nil` if it never was.
  static func stepsSaved(in output: String) throws -> Int? {
    try checkpoints(in: "\(output)/\(folderName)").last.flatMap {
      Int(URL(fileURLWithPath: $0.path).lastPathComponent.dropFirst("step-".count))
    }
  }

  /// The checkpoints in the folder of an unfinished run, the oldest first.
  static func checkpoints(in path: String) throws -> [CheckpointFolder] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix("step-") }
        .sorted()
        .map { CheckpointFolder(path: "\(path)/\($0)") }
    } catch {
      throw OnePassError(
        .io, "The folder \(path) cannot be read: check the disk and the folder.", cause: error)
    }
  }

  // MARK: Saving

  /// Saves a run after a step.
  /// - Throws: `OnePassError` (`io`); the checkpoints before are then as they were.
  func save(
    _ state: RunState, weights: StateDictionary, optimiser: StateDictionary, memory rehearsal: Rehearsal?,
    shuffleBuffer: ShuffleBuffer.Snapshot? = nil
  ) throws {
    try checkPresence()
    let snapshot = rehearsal?.memory.snapshot
    let ids = Set(snapshot?.items.map(\.id) ?? [])
    let imagesOnDisk = rehearsal?.images.directory?.images
    if let imagesOnDisk {
      try imagesOnDisk.makeDurable()
    } else if let rehearsal {
      try archiveImages(of: rehearsal.memory, notIn: keptItems, rehearsal.images.transfer)
    }
    let digits = String(state.loop.position.steps)
    let name = "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    let checkpoint = try CheckpointFolder.write(to: "\(path)/\(name)") { partial in
      try weights.write(to: "\(partial)/\(Checkpoint.weightsName)")
      try optimiser.write(to: "\(partial)/optimiser.safetensors")
      try Data(JSON.text(state).utf8).write(to: URL(fileURLWithPath: "\(partial)/state.json"))
      if let snapshot {
        try MemoryIndex.encode(snapshot).write(to: URL(fileURLWithPath: "\(partial)/\(Checkpoint.indexName)"))
      }
      if let shuffleBuffer { try shuffleBuffer.write(to: "\(partial)/\(ShuffleBuffer.Snapshot.fileName)") }
    }
    held.append((checkpoint, ids))
    try prune()
    if let imagesOnDisk {
      imagesOnDisk.protect(keptItems, in: try openArchive(imageBytes: snapshot?.items.first?.bytes ?? 0))
    }
  }

  /// The items of all checkpoints that are kept.
  private var keptItems: Set<Int> { held.reduce(into: []) { $0.formUnion($1.ids) } }

  private func archiveImages(
    of memory: ReplayMemory, notIn known: Set<Int>, _ shared: ImageTransfer?
  ) throws {
    let archive = try openArchive(imageBytes: memory.items.first?.bytes ?? 0)
    // What is not committed lies in RAM; until the checkpoint has its name, what is belongs to nobody.
    func insert(_ image: EncodedImage, id: Int) throws {
      if try !archive.contains(id: id) { try archive.insertInParts(image, id: id) }
    }
    for (item, image) in memory.images(where: { !known.contains($0.id) }) { try insert(image, id: item.id) }
    try shared?.collect { try insert($0.image, id: $0.id) }
    try archive.endParts()
  }

  private func openArchive(imageBytes: Int) throws -> ImageArchive {
    if let archive { return archive }
    let opened = try ImageArchive(folder: path, imageBytes: imageBytes)
    archive = opened
    return opened
  }

  /// Lets go of the oldest checkpoint, and of the images that only it held.
  private func prune() throws {
    while held.count > kept {
      let oldest = held.removeFirst()
      // Should it stay, its images do too.
      guard oldest.checkpoint.remove() else { continue }
      try archive?.removeAll(oldest.ids.subtracting(keptItems))
    }
  }

  /// Removes everything, once the run is finished.
  func remove() {
    archive = nil
    try? FileManager.default.removeItem(atPath: path)
    unlock()
  }

  /// Removes what a run leaves that fails before there is anything to go on from.
  func abandon() {
    guard lock >= 0, !hadCheckpoint else { return }
    RunLogFiles.remove(in: output)
    // Logs without this folder would be somebody else's.
    try? DurableFile.synchronise(output)
    remove()
    rmdir(output)  // Only if nothing else is in it.
  }

  /// Keeps other processes out, and makes the folder safe from a power cut, before anything is read or written in it.
  func open() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try DurableFile.synchronise(output)
      try DurableFile.synchronise(URL(fileURLWithPath: output).deletingLastPathComponent().path)
    } catch {
      throw OnePassError(.io, "The folder \(path) cannot be made: see that the disk has room.", cause: error)
    }
    let file = Foundation.open("\(path)/\(Self.lockName)", O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw OnePassError(.io, "The folder \(path) cannot be written (\(String(cString: strerror(errno)))).")
    }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      throw OnePassError(
        .usage,
        "The run in \(output) is in use by another process: wait until it has ended, or choose another folder."
      )
    }
    lock = file
    try removeLeftovers()
  }

  /// Refuses to go on in a folder that is no longer where it was: a new one of that name would hold a part of the run.
  private func checkPresence() throws {
    var (held, named) = (stat(), stat())
    guard fstat(lock, &held) == 0, stat("\(path)/\(Self.lockName)", &named) == 0,
      FileIdentity(held) == FileIdentity(named)
    else {
      throw OnePassError(.io, "The folder \(path) has vanished: bring it back, and go on with --resume.")
    }
  }

  /// Removes what a process left that was broken off: what it was writing and, if it had saved nothing yet, everything.
  private func removeLeftovers() throws {
    let isNothing = try !hasCheckpoint
    if isNothing, !FileManager.default.fileExists(atPath: "\(output)/result.json") {
      RunLogFiles.remove(in: output)
    }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where isNothing
      ? ![Self.lockName, Self.claimName].contains(name) : name.hasSuffix(CheckpointFolder.partialSuffix)
    {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  /// Removes what is left of a run that is finished, unless a process is about to do so.
  package static func removeLeftovers(ofFinishedRunIn output: String) {
    guard FileManager.default.fileExists(atPath: "\(output)/\(folderName)") else { return }
    let unfinished = UnfinishedRun(in: output, kept: 1)
    if (try? unfinished.open()) != nil { unfinished.remove() }
  }

  private func unlock() {
    if lock >= 0 { close(lock) }
    lock = -1
  }

  // MARK: A request to forget

  /// Where a request to forget notes what it is about to remove, so that one that was broken off is known.
  static func forgettingPath(in output: String) -> String { "\(output)/\(folderName)/forgetting" }

  /// - Throws: `OnePassError` (`usage`) if a request to forget was broken off.
  func checkForgetting() throws {
    guard FileManager.default.fileExists(atPath: Self.forgettingPath(in: output)) else { return }
    throw OnePassError(
      .usage,
      "A request to forget was broken off in \(output): give `onepass memory forget` again, then go on.")
  }

  // MARK: A memory on disk

  private static let claimName = "memory-run"
  private var claim: String { "\(path)/\(Self.claimName)" }

  /// Says that a memory directory belongs to this run, before there is a checkpoint that says so.
  func claimMemory(_ run: String) throws {
    do { try run.write(toFile: claim, atomically: true, encoding: .utf8) } catch {
      throw OnePassError(.io, "\(claim) cannot be written: see that the disk has room.", cause: error)
    }
  }

  var claimedMemory: String? { try? String(contentsOfFile: claim, encoding: .utf8) }

  // MARK: Going on

  /// A checkpoint as it was read back.
  struct Saved {
    let state: RunState
    /// These two where they were read: on the first rank.
    let weights: StateDictionary?
    let optimiser: StateDictionary?
    let memory: MemorySnapshot?
    /// What waited to be delivered, where that cannot be read again.
    let shuffleBuffer: ShuffleBuffer.Snapshot?
    /// The images of the checkpoints that are kept; where the memory is on disk, those that it has given up.
    let archive: ImageArchive?
    /// The items of the checkpoints that are kept.
    let keptItems: Set<Int>
  }

  /// Reads the last checkpoint.
  /// - Throws: `OnePassError`: `badData` if it is damaged, with what can be done; `usage` if another process has it.
  func load() throws -> Saved {
    let checkpoints = try Self.checkpoints(in: path)
    guard let last = checkpoints.last else {
      throw OnePassError(.io, "\(path) holds no checkpoint: leave out --resume to begin anew.")
    }
    return try offeringAnother { try read(last, all: checkpoints) }
  }

  /// Says which checkpoint is left where the last one turns out to be damaged, or what it needs of what all share.
  func offeringAnother<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as OnePassError where error.code == .badData {
      let checkpoints = try Self.checkpoints(in: path)
      let way =
        if let other = checkpoints.dropLast().lastIndex(where: isUsable) {
          "remove \(checkpoints[(other + 1)...].map(\.path).joined(separator: " and ")) to go on from "
            + checkpoints[other].name
        } else {
          "bring it back from a copy; there is no other checkpoint that could be used. To begin anew, remove \(path) and "
            + "the memory directory, if there is one"
        }
      throw OnePassError(.badData, "\(error.message) To go on, \(way).", cause: error)
    }
  }

  /// Whether a run could go on from a checkpoint: it, and what it needs of the ledger and the images, is whole.
  private func isUsable(_ checkpoint: CheckpointFolder) -> Bool {
    do {
      try checkpoint.verify()
      let state = try Self.decode(checkpoint)
      if let mark = state.ledger { _ = try LedgerFile(path: ledgerPath, mark: mark) }
      let index = checkpoint.path(of: Checkpoint.indexName)
      guard let data = FileManager.default.contents(atPath: index) else { return true }
      guard ImageArchive.exists(in: path) else { return state.memoryRun != nil }
      let archive = try openArchive(imageBytes: 0)
      for item in try MemoryIndex.decode(data, path: index).items {
        // Those that a memory on disk still holds are read when they are drawn.
        if try state.memoryRun == nil || archive.contains(id: item.id) { _ = try archive.image(id: item.id) }
      }
      return true
    } catch { return false }
  }

  private func read(_ checkpoint: CheckpointFolder, all: [CheckpointFolder]) throws -> Saved {
    try checkpoint.verify()
    let state = try Self.decode(checkpoint)
    var memory: MemorySnapshot?
    var isAllKnown = true
    for kept in all {
      let index = kept.path(of: Checkpoint.indexName)
      do {
        if kept.path != checkpoint.path { try kept.verify() }
        let data =
          FileManager.default.fileExists(atPath: index)
          ? try Data(contentsOf: URL(fileURLWithPath: index)) : nil
        let snapshot = try data.map { try MemoryIndex.decode($0, path: index) }
        if kept.path == checkpoint.path { memory = snapshot }
        held.append((kept, Set(snapshot?.items.map(\.id) ?? [])))
      } catch  where kept.path != checkpoint.path {
        // An older one that cannot be read now may be well later: what it holds is unknown, and nothing is thrown away.
        isAllKnown = false
      }
    }
    let archive = try memory.map { try openArchive(imageBytes: $0.items.first?.bytes ?? 0) }
    if isAllKnown, let archive {
      // Images of a checkpoint that was never finished.
      let known = keptItems
      try archive.removeAll(archive.ids.filter { !known.contains($0) })
    }
    return Saved(
      state: state, weights: try StateDictionary(safetensors: checkpoint.path(of: Checkpoint.weightsName)),
      optimiser: try StateDictionary(safetensors: checkpoint.path(of: "optimiser.safetensors")),
      memory: memory,
      shuffleBuffer: try ShuffleBuffer.Snapshot(
        readingFrom: checkpoint.path(of: ShuffleBuffer.Snapshot.fileName)),
      archive: archive, keptItems: keptItems)
  }

  /// Every checkpoint, the oldest first, as it was read back; nothing is changed.
  /// - Throws: `OnePassError` (`badData`) if one is damaged.
  func inspect() throws -> [(folder: CheckpointFolder, state: RunState, memory: MemorySnapshot?)] {
    try Self.checkpoints(in: path).map { checkpoint in
      let (state, memory) = try Self.contents(of: checkpoint)
      return (checkpoint, state, memory)
    }
  }

  /// What a checkpoint says of the run and of its memory.
  /// - Throws: `OnePassError` (`badData`) if it is damaged.
  static func contents(of checkpoint: CheckpointFolder) throws -> (state: RunState, memory: MemorySnapshot?) {
    try checkpoint.verify()
    let index = checkpoint.path(of: Checkpoint.indexName)
    let data = FileManager.default.contents(atPath: index)
    return (try decode(checkpoint), try data.map { try MemoryIndex.decode($0, path: index) })
  }

  private static func decode(_ checkpoint: CheckpointFolder) throws -> RunState {
    let path = checkpoint.path(of: "state.json")
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      let origin = try JSONDecoder().decode(CheckpointOrigin.self, from: data)
      guard origin.format == RunState.currentFormat else {
        throw OnePassError(
          .usage,
          "\(checkpoint.path) was written by onepass \(origin.version), whose checkpoints this version (\(onePassVersion)) "
            + "cannot resume: finish the run with that version, or start it again in another folder.")
      }
      return try JSONDecoder().decode(RunState.self, from: data)
    } catch let error as OnePassError { throw error } catch {
      throw OnePassError(.badData, "\(path) is damaged: it is not what onepass wrote.", cause: error)
    }
  }
}
