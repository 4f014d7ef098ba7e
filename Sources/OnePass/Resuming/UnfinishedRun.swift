import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

/// The files of an unfinished run: its last checkpoints, and the images of their memories.
///
/// ```
/// DIR/unfinished/step-00000120/   weights, momentum, position and the index of the memory; by default the last two are kept
/// DIR/unfinished/images.sqlite    the images of all checkpoints; with a memory on disk, only those evicted from it
/// DIR/unfinished/ledger           the examples taken from the stream
/// ```
///
/// A checkpoint writes only images that the archive lacks.
package final class UnfinishedRun {
  /// The name of its folder in the output folder.
  package static let folderName = "unfinished"
  private static let lockName = ".lock"
  let path: String
  var ledgerPath: String { "\(path)/\(Ledger.fileName)" }
  private let output: String
  /// The number of checkpoints to keep.
  private let kept: Int
  private let keys: MemoryKeys?
  private var lock: Int32 = -1
  private var archive: ImageArchive?
  /// The items of each kept checkpoint, the oldest first.
  private var held: [(checkpoint: CheckpointFolder, ids: Set<Int>)] = []

  /// - Parameters:
  ///   - output: The folder of the run.
  ///   - folder: The name of the folder with the checkpoints; another one for the ``KeptState`` of a finished run.
  ///   - keys: The keys of an encrypted memory.
  init(in output: String, kept: Int, folder: String = folderName, keys: MemoryKeys? = nil) {
    self.output = output
    self.kept = kept
    self.keys = keys
    path = "\(output)/\(folder)"
  }

  deinit { unlock() }

  /// Whether there is a checkpoint to resume from.
  var hasCheckpoint: Bool { get throws { try !Self.checkpoints(in: path).isEmpty } }

  /// Whether there is a checkpoint, or was one before the folder vanished.
  var hadCheckpoint: Bool { !held.isEmpty || (try? hasCheckpoint) ?? true }

  /// Whether the output folder has a checkpoint to resume from.
  /// - Throws: `OnePassError` (`io`) if the folder cannot be read.
  static func hasCheckpoint(in output: String) throws -> Bool {
    try !checkpoints(in: "\(output)/\(folderName)").isEmpty
  }

  /// The step of the last checkpoint of a run; `nil` if there is none.
  static func stepsSaved(in output: String) throws -> Int? {
    try checkpoints(in: "\(output)/\(folderName)").last.flatMap {
      Int($0.name.dropFirst("step-".count).prefix { $0 != "." })
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
      throw OnePassError.unreadableFile(path, cause: error)
    }
  }

  // MARK: Saving

  /// Saves a run after a step.
  /// - Throws: `OnePassError` (`io`); earlier checkpoints are unchanged then.
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
    let name = nextName(afterSteps: state.loop.position.steps)
    let checkpoint = try CheckpointFolder.write(to: "\(path)/\(name)") { partial in
      try weights.write(to: "\(partial)/\(Checkpoint.weightsName)")
      try optimiser.write(to: "\(partial)/\(Checkpoint.optimiserName)")
      try Data(JSON.text(state).utf8).write(to: URL(fileURLWithPath: "\(partial)/\(RunState.fileName)"))
      if let snapshot {
        try MemoryIndex.encode(snapshot).write(to: URL(fileURLWithPath: "\(partial)/\(Checkpoint.indexName)"))
      }
      if let shuffleBuffer {
        // Before the examples that they encrypt.
        let file = try ShuffleBufferFile(sealing: shuffleBuffer, with: keys)
        try keys?.makeDurable()
        try file.write(to: "\(partial)/\(ShuffleBufferFile.fileName)")
      }
    }
    held.append((checkpoint, ids))
    try prune()
    if let imagesOnDisk {
      imagesOnDisk.protect(keptItems, in: try openArchive(imageBytes: snapshot?.items.first?.bytes ?? 0))
    }
  }

  /// The name of a new checkpoint. A second one of a step, with more of a stream that fell silent, is a revision of the first.
  private func nextName(afterSteps steps: Int) -> String {
    let digits = String(steps)
    let name = "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    guard let last = held.last?.checkpoint, last.name.hasPrefix(name) else { return name }
    return last.nextRevision
  }

  /// The items of all kept checkpoints.
  private var keptItems: Set<Int> { held.reduce(into: []) { $0.formUnion($1.ids) } }

  private func archiveImages(
    of memory: ReplayMemory, notIn known: Set<Int>, _ shared: ImageTransfer?
  ) throws {
    let archive = try openArchive(imageBytes: memory.items.first?.bytes ?? 0)
    // Uncommitted images are in RAM. Committed ones belong to no checkpoint until the new one has its name.
    func insert(_ image: EncodedImage, id: Int) throws {
      guard try !archive.contains(id: id) else { return }
      try archive.insertInParts(image, id: id, subject: memory.subject(of: id))
    }
    for (item, image) in memory.images(where: { !known.contains($0.id) }) { try insert(image, id: item.id) }
    try shared?.collect { try insert($0.image, id: $0.id) }
    try archive.endParts()
  }

  private func openArchive(imageBytes: Int) throws -> ImageArchive {
    if let archive { return archive }
    let opened = try ImageArchive(folder: path, imageBytes: imageBytes, keys: keys)
    archive = opened
    return opened
  }

  /// Removes the oldest checkpoints beyond `kept`, and the images that only they need.
  private func prune() throws {
    while held.count > kept {
      let oldest = held.removeFirst()
      // The images must stay as long as their checkpoint.
      guard oldest.checkpoint.remove() else { continue }
      try archive?.removeAll(oldest.ids.subtracting(keptItems))
    }
  }

  /// Removes all files, after the run has finished. Those that it keeps are renamed instead.
  func remove() {
    archive = nil
    if FileManager.default.fileExists(atPath: keepMark) {
      try? FileManager.default.removeItem(atPath: "\(path)/\(Ledger.fileName)")
      try? FileManager.default.removeItem(atPath: "\(path)/\(SubjectLog.fileName)")
      rename(path, "\(output)/\(KeptState.folderName)")
    } else {
      for checkpoint in (try? Self.checkpoints(in: path)) ?? [] { checkpoint.remove() }
      ImageArchive.erase(in: path)
      try? FileManager.default.removeItem(atPath: path)
    }
    unlock()
  }

  /// Keeps the last checkpoint as the state of the finished run.
  /// - Throws: `OnePassError` (`io`).
  func keepLast() throws {
    while held.count > 1 {
      let oldest = held.removeFirst()
      guard oldest.checkpoint.remove() else { continue }
      try archive?.removeAll(oldest.ids.subtracting(keptItems))
    }
    do { try DurableFile.write(Data(), to: keepMark) } catch {
      throw OnePassError.unwritableFile(keepMark, cause: error)
    }
  }

  /// The name of the mark that the files become the ``KeptState`` of the finished run.
  static let keepName = "keep"
  private var keepMark: String { "\(path)/\(Self.keepName)" }

  /// Removes the files of a run that failed before its first checkpoint.
  func abandon() {
    guard lock >= 0, !hadCheckpoint else { return }
    RunLogFiles.remove(in: output)
    // The logs go first and durably: without this folder they would look like files of another program.
    try? DurableFile.synchronise(output)
    remove()
    rmdir(output)  // Only if nothing else is in it.
  }

  /// Creates the folder, makes it durable, and locks it against other processes.
  /// - Throws: `OnePassError`: `usage` if another process has the lock, `io` if the folder cannot be written.
  func open() throws {
    guard try openIfFree() else { throw OnePassError.runInUse(output) }
  }

  /// Does the same, unless another process has the lock.
  /// - Returns: Whether the folder is locked now.
  /// - Throws: `OnePassError` (`io`) if it cannot be written.
  func openIfFree() throws -> Bool {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try DurableFile.synchronise(output)
      try DurableFile.synchronise(URL(fileURLWithPath: output).deletingLastPathComponent().path)
    } catch {
      throw OnePassError.folderNotCreated(path, cause: error)
    }
    let file = Foundation.open("\(path)/\(Self.lockName)", O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw OnePassError.unwritableFile(path, reason: String(cString: strerror(errno)))
    }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      close(file)
      return false
    }
    lock = file
    try removeLeftovers()
    return true
  }

  /// Checks that the folder has not been moved or replaced. A new folder of that name would contain only a part of the run.
  private func checkPresence() throws {
    var (held, named) = (stat(), stat())
    guard fstat(lock, &held) == 0, stat("\(path)/\(Self.lockName)", &named) == 0,
      FileIdentity(held) == FileIdentity(named)
    else {
      throw OnePassError.runFolderVanished(path)
    }
  }

  /// Removes incomplete files of an interrupted process; all its files, if it had no checkpoint.
  private func removeLeftovers() throws {
    let isNothing = try !hasCheckpoint
    if isNothing, !FileManager.default.fileExists(atPath: "\(output)/result.json") {
      RunLogFiles.remove(in: output)
    }
    if isNothing { ImageArchive.erase(in: path) }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where isNothing
      ? ![Self.lockName, Self.claimName].contains(name) : name.hasSuffix(CheckpointFolder.partialSuffix)
    {
      ErasedFile.remove("\(path)/\(name)/\(ShuffleBufferFile.fileName)")
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  /// Removes the remaining checkpoints of a finished run, unless another process is doing so.
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

  /// The file with the items that a request to forget is removing, so that an interrupted request is detected.
  var forgettingPath: String { "\(path)/forgetting" }

  /// Checks that no request to forget was interrupted.
  /// - Throws: `OnePassError` (`usage`) if one was.
  func checkForgetting() throws {
    guard FileManager.default.fileExists(atPath: forgettingPath) else { return }
    throw OnePassError.forgettingInterrupted(output)
  }

  // MARK: A memory on disk

  private static let claimName = "memory-run"
  private var claim: String { "\(path)/\(Self.claimName)" }

  /// Records the identifier of the run's memory directory before the first checkpoint, which contains it too.
  func claimMemory(_ run: String) throws {
    do { try run.write(toFile: claim, atomically: true, encoding: .utf8) } catch {
      throw OnePassError.unwritableFile(claim, cause: error)
    }
  }

  var claimedMemory: String? { try? String(contentsOfFile: claim, encoding: .utf8) }

  // MARK: Resuming

  /// A checkpoint that was read.
  struct Saved {
    let state: RunState
    /// The weights and the state of the optimiser; `nil` on ranks other than the first.
    let weights: StateDictionary?
    let optimiser: StateDictionary?
    let memory: MemorySnapshot?
    /// The contents of the shuffle buffer; `nil` without one.
    let shuffleBuffer: ShuffleBuffer.Snapshot?
    /// The images of all kept checkpoints; with a memory on disk, only those evicted from it.
    let archive: ImageArchive?
    /// The items of all kept checkpoints.
    let keptItems: Set<Int>
    /// The number of waiting examples that were left out, because their keys were destroyed.
    var forgottenWaiting = 0
  }

  /// Reads the last checkpoint.
  /// - Throws: `OnePassError`: `io` if there is none; `badData`, with a remedy, if it is damaged.
  func load() throws -> Saved {
    let checkpoints = try Self.checkpoints(in: path)
    guard let last = checkpoints.last else {
      throw OnePassError.noCheckpointToResume(in: path)
    }
    return try offeringAnother { try read(last, all: checkpoints) }
  }

  /// Adds a remedy to errors about damaged data: an earlier checkpoint that is intact, if there is one.
  func offeringAnother<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as OnePassError where error.code == .badData {
      let checkpoints = try Self.checkpoints(in: path)
      guard let other = checkpoints.dropLast().lastIndex(where: isUsable) else {
        throw OnePassError.notResumable(path, after: error)
      }
      throw OnePassError.resumableFrom(
        checkpoints[other].name, removing: checkpoints[(other + 1)...].map(\.path), after: error)
    }
  }

  /// Whether a checkpoint is intact, with its part of the ledger and its images.
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
        // Images in a memory directory are verified when they are drawn.
        guard try state.memoryRun == nil || archive.contains(id: item.id), !archive.isForgotten(id: item.id)
        else { continue }
        _ = try archive.image(id: item.id)
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
        // An older checkpoint may be unreadable only for now. Its items are unknown, so no image may be removed.
        isAllKnown = false
      }
    }
    let archive = try memory.map { try openArchive(imageBytes: $0.items.first?.bytes ?? 0) }
    if isAllKnown, let archive {
      // Images of a checkpoint that was interrupted.
      let known = keptItems
      try archive.removeAll(archive.ids.filter { !known.contains($0) })
    }
    let waiting = try ShuffleBufferFile(readingFrom: checkpoint.path(of: ShuffleBufferFile.fileName))?
      .opened(with: keys, path: checkpoint.path)
    return Saved(
      state: state, weights: try StateDictionary(safetensors: checkpoint.path(of: Checkpoint.weightsName)),
      optimiser: try StateDictionary(safetensors: checkpoint.path(of: Checkpoint.optimiserName)),
      memory: memory,
      shuffleBuffer: waiting?.snapshot,
      archive: archive, keptItems: keptItems, forgottenWaiting: waiting?.forgotten ?? 0)
  }
}
