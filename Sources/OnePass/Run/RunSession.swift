import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

/// The files of a run: its output folder, checkpoints, ledger and memory directory.
///
/// A session locks the folder against other processes. On ranks other than the first, and without an output folder, it has no
/// files and does nothing.
final class RunSession {
  /// The folder of the run; `nil` if nothing is written.
  let output: String?
  /// Receives the finished run.
  let folder: RunFolder?
  /// The checkpoints of the run until it is finished.
  let unfinished: UnfinishedRun?
  /// The checkpoint from which the run is resumed; the same state on every rank.
  let saved: UnfinishedRun.Saved?
  private let configuration: RunConfiguration
  private let resuming: Bool
  private let continuing: Bool
  /// The keys of an encrypted memory.
  let keys: MemoryKeys?
  /// Notices about what the session has created.
  var notices: [String] {
    guard let keys, keys.isNew else { return [] }
    return [
      "Created the key file \(keys.path). Without it, the images that this run stores cannot be read. Keep it apart from them."
    ]
  }
  private var passed: LedgerFile?
  private var memoryDirectory: MemoryDirectory?
  private var isFinished = false

  /// - Parameters:
  ///   - output: The folder of the run, on the first rank.
  ///   - resuming: Whether to resume from the last checkpoint in `output`, if there is one.
  ///   - continuing: Whether the stream of a resumed run delivers what comes next, instead of the same from its start.
  ///   - kept: The number of checkpoints to keep.
  /// - Throws: `OnePassError`: `usage` if the folder has other contents, is in use, or the run had other options; `io` if it
  ///   cannot be written; `badData` if the checkpoint is damaged.
  init(
    _ configuration: RunConfiguration, output: String?, resuming: Bool, continuing: Bool, kept: Int,
    ranks: Ranks
  ) throws {
    self.configuration = configuration
    (self.resuming, self.continuing) = (resuming, continuing)
    let output = ranks.isFirst ? output : nil
    self.output = output
    if let output { try MemoryDirectory.check(configuration.memory.directory, outside: output) }
    try MemoryDirectory.check(
      key: configuration.memory.key, outside: [output, configuration.memory.directory])
    folder = try output.map { try RunFolder(creating: $0, resuming: resuming) }
    if resuming { try Self.checkEncryption(configuration, output) }
    keys = try ranks.isFirst ? Self.openKeys(configuration, output, resuming: resuming) : nil
    let unfinished = output.map { [keys] in UnfinishedRun(in: $0, kept: kept, keys: keys) }
    self.unfinished = unfinished
    try unfinished?.open()
    if let output { RunFolder.removeLeftovers(of: output, evenComplete: false) }
    do {
      let mine = try ranks.isFirst ? Self.checkpoint(configuration, output, unfinished, resuming) : nil
      saved = try ranks.share(mine)
      passed = try saved?.state.ledger.flatMap { mark in
        try unfinished.map { run in
          try run.offeringAnother { try LedgerFile(path: run.ledgerPath, mark: mark) }
        }
      }
    } catch {
      unfinished?.abandon()
      throw error
    }
  }

  /// Opens the key file of a resumed run, or creates that of a new one.
  private static func openKeys(
    _ configuration: RunConfiguration, _ output: String?, resuming: Bool
  ) throws -> MemoryKeys? {
    guard let path = configuration.memory.key else { return nil }
    guard output != nil || configuration.memory.directory != nil else {
      throw OnePassError.optionRequires("--memory-key", "--output or --memory-directory")
    }
    let isResumed = try resuming && output.map { try UnfinishedRun.hasCheckpoint(in: $0) } ?? false
    return try MemoryKeys(file: path, creating: !isResumed)
  }

  /// Checks that a resumed run has a key file if it encrypts its memory, before any of its files is opened.
  private static func checkEncryption(_ configuration: RunConfiguration, _ output: String?) throws {
    // Damage is reported when the checkpoint is loaded.
    guard let output, let saved = try? UnfinishedRun.configuration(savedIn: output) else { return }
    switch (configuration.memory.key, saved.memory.key) {
    case (nil, _?): throw OnePassError.memoryKeyRequired
    case (_?, nil): throw OnePassError.memoryNotEncrypted
    default: break
    }
  }

  private static func checkpoint(
    _ configuration: RunConfiguration, _ output: String?, _ unfinished: UnfinishedRun?, _ resuming: Bool
  ) throws -> UnfinishedRun.Saved? {
    guard resuming else { return nil }
    guard let output, let unfinished else { throw OnePassError.optionRequires("--resume", "--output") }
    guard try unfinished.hasCheckpoint else { return nil }
    try unfinished.checkForgetting()
    let saved = try unfinished.load()
    if let difference = configuration.difference(fromRecord: saved.state.configuration) {
      throw OnePassError.runHasOtherOptions(output, difference: difference)
    }
    return saved
  }

  /// Unlocks the folder. Removes all files of a run that failed before its first checkpoint.
  func close() {
    guard !isFinished else { return }
    // Without a checkpoint there is no index of these images.
    if !(unfinished?.hadCheckpoint ?? false) { memoryDirectory?.remove() }
    unfinished?.abandon()
  }

  // MARK: The parts of the run

  /// The facts about the stream: from its start, or from the checkpoint.
  func prepare(_ stream: RunStream) throws -> StreamPreparation {
    guard let saved else { return try StreamPreparation(stream, configuration) }
    if let snapshot = saved.shuffleBuffer { stream.buffer?.prepareToRestore(snapshot) }
    if let mark = saved.state.mark {
      stream.live?.prepareToRestore(
        mark, at: stream.buffer == nil ? saved.state.examplesTaken : saved.shuffleBuffer?.basePosition ?? 0)
    }
    return try StreamPreparation(
      stream, configuration, resuming: saved.state, saved: saved.shuffleBuffer, ledger: passed,
      continuing: continuing)
  }

  /// The ledger of the pass; `nil` without an output folder, or with several passes over stored data.
  func openLedger() throws -> Ledger? {
    guard let unfinished else { return nil }
    let withSubjects = configuration.data.subjectKey != nil
    guard saved == nil else {
      return try passed.map { try Ledger(resuming: $0, in: unfinished.path, withSubjects: withSubjects) }
    }
    return configuration.method == .multiEpoch ? nil : Ledger(in: unfinished.path, withSubjects: withSubjects)
  }

  /// The record of a broker's messages that hold no example; `nil` without an output folder.
  func openRejected() throws -> RejectedMessages? {
    guard configuration.isLive, let unfinished else { return nil }
    return try saved?.state.mark.map { try RejectedMessages(in: unfinished.path, resumingAfter: $0.rejected) }
      ?? RejectedMessages(in: unfinished.path)
  }

  /// The store of the memory's images.
  /// - Throws: `OnePassError`: `usage` if the run was started with its memory elsewhere, or the folder belongs to another run;
  ///   `io`, `badData` if it cannot be read or written.
  func openMemory(_ stream: StreamPreparation, ranks: Ranks) throws -> MemoryImages {
    if ranks.count > 1, stream.plan.capacity != nil {
      return .shared(ImageTransfer(SharedImages(), ranks: ranks))
    }
    memoryDirectory = try saved.map { try openDirectory(of: $0) } ?? makeDirectory(stream)
    return memoryDirectory.map { .onDisk($0) } ?? .inProcess
  }

  private func openDirectory(of saved: UnfinishedRun.Saved) throws -> MemoryDirectory? {
    switch (configuration.memory.directory, saved.state.memoryRun) {
    case (let path?, let run?): return try MemoryDirectory(opening: path, run: run, keys: keys)
    case (nil, nil): return nil
    case (nil, _):
      throw OnePassError.memoryDirectoryRequired
    case (_, nil):
      throw OnePassError.memoryIsInRAM
    }
  }

  private func makeDirectory(_ stream: StreamPreparation) throws -> MemoryDirectory? {
    guard let path = configuration.memory.directory, let first = stream.firstImage else { return nil }
    if let claimed = unfinished?.claimedMemory, try DiskImages.run(in: path) == claimed {
      // The run was interrupted before its first checkpoint, and starts again.
      DiskImages.remove(in: path)
    }
    // The claim comes first, so that the folder is known to belong to this run after an interruption at any time.
    let run = UUID().uuidString
    try unfinished?.claimMemory(run)
    let form = StoredForm(configuration.storedFormat, pipeline: stream.pipeline)
    return try MemoryDirectory(
      creating: path, run: run, plan: stream.plan, imageBytes: form(first).byteCount, keys: keys)
  }

  /// Restores the state of the checkpoint; does nothing without one.
  /// - Returns: The number of items that were removed, because their keys were destroyed.
  /// - Throws: `OnePassError` (`badData`) if the checkpoint is damaged. It names an intact one, if there is any.
  func restore(_ loop: inout TrainingLoop, _ learner: Learner, _ records: RunRecords) throws -> Int {
    guard let saved else { return 0 }
    let waiting = saved.forgottenWaiting
    records.restore(saved.state)
    func restoreAll() throws -> Int {
      try learner.restore(saved.state.learner, weights: saved.weights, optimiser: saved.optimiser)
      let forgotten = try saved.memory.map { try restoreMemory($0, saved, &loop) } ?? 0
      loop.restore(saved.state.loop)
      return forgotten
    }
    return try waiting + (unfinished?.offeringAnother(restoreAll) ?? restoreAll())
  }

  private func restoreMemory(
    _ snapshot: MemorySnapshot, _ saved: UnfinishedRun.Saved, _ loop: inout TrainingLoop
  ) throws -> Int {
    if let images = memoryDirectory?.images, let archive = saved.archive {
      images.protect(saved.keptItems, in: archive)
      try images.restore(
        Set(snapshot.items.map(\.id)), position: saved.state.loop.incoming.tally.taken)
    }
    let forgotten = try forgottenItems(snapshot, saved, loop.ranks)
    try loop.restoreMemory(snapshot) { id in
      guard let archive = saved.archive else {
        preconditionFailure("A checkpoint with a memory must have an archive.")
      }
      return try forgotten[id].map { EncodedImage(bytes: [UInt8](repeating: 0, count: $0)) }
        ?? archive.image(id: id)
    }
    if !forgotten.isEmpty { try loop.forget(Set(forgotten.keys)) }
    return forgotten.count
  }

  /// The sizes of the items whose keys were destroyed, by position; the same on every rank.
  private func forgottenItems(
    _ snapshot: MemorySnapshot, _ saved: UnfinishedRun.Saved, _ ranks: Ranks
  ) throws -> [Int: Int] {
    guard try ranks.sum([keys?.hasDestroyedKeys == true ? 1 : 0])[0] > 0 else { return [:] }
    let flags = snapshot.items.map { item in
      guard ranks.isFirst else { return 0.0 }
      return memoryDirectory?.images.isForgotten(id: item.id) ?? saved.archive?.isForgotten(id: item.id)
        ?? false ? 1.0 : 0.0
    }
    let gone = zip(snapshot.items, try ranks.sum(flags)).compactMap { item, flag in
      flag > 0 ? (item.id, item.bytes) : nil
    }
    return Dictionary(uniqueKeysWithValues: gone)
  }

  // MARK: The end

  /// Moves the finished run to its output folder and removes its checkpoints.
  /// - Throws: `OnePassError` (`io`); the run can still be resumed then.
  func commit(_ result: RunResult, runFile: String) throws {
    guard let folder else { return }
    try folder.write(runFile, to: RunConfiguration.fileName)
    try folder.write(json: result, to: "result.json")
    try folder.commit()
    if resuming { RunFolder.removeLeftovers(of: folder.path, evenComplete: true) }
    isFinished = true
    unfinished?.remove()
  }
}
