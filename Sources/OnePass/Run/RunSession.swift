import Foundation
import OnePassCore
import OnePassData
import OnePassReplay
import OnePassTorch

/// What a run has on disk: the folder of its result, its checkpoints, its ledger, its memory directory.
///
/// On ranks but the first, and without an output folder, it has nothing there and does nothing. A session keeps other
/// processes out of the folder while it lasts.
final class RunSession {
  /// The folder of the run; `nil` where nothing is written.
  let output: String?
  /// Receives the finished run.
  let folder: RunFolder?
  /// The checkpoints of the run until it is finished.
  let unfinished: UnfinishedRun?
  /// The checkpoint from which the run is resumed; the same state on every rank.
  let saved: UnfinishedRun.Saved?
  private let configuration: RunConfiguration
  private let resuming: Bool
  private var passed: LedgerFile?
  private var memoryDirectory: MemoryDirectory?
  private var isFinished = false

  /// - Parameters:
  ///   - output: The folder of the run, on the first rank.
  ///   - resuming: Whether to resume from the last checkpoint in `output`, if there is one.
  ///   - kept: How many checkpoints are kept.
  /// - Throws: `OnePassError`: `usage` if the folder holds something else, is in use, or began with other options; `io` if it
  ///   cannot be written; `badData` if the checkpoint is damaged.
  init(
    _ configuration: RunConfiguration, output: String?, resuming: Bool, kept: Int, ranks: Ranks
  ) throws {
    self.configuration = configuration
    self.resuming = resuming
    let output = ranks.isFirst ? output : nil
    self.output = output
    folder = try output.map { try RunFolder(creating: $0, resuming: resuming) }
    let unfinished = output.map { UnfinishedRun(in: $0, kept: kept) }
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

  private static func checkpoint(
    _ configuration: RunConfiguration, _ output: String?, _ unfinished: UnfinishedRun?, _ resuming: Bool
  ) throws -> UnfinishedRun.Saved? {
    guard resuming else { return nil }
    guard let output, let unfinished else { throw TrainingRun.resumesNowhere }
    guard try unfinished.hasCheckpoint else { return nil }
    try unfinished.checkForgetting()
    let saved = try unfinished.load()
    if let difference = configuration.difference(fromRecord: saved.state.configuration) {
      throw OnePassError(
        .usage,
        "The run in \(output) began with other options (\(difference)): give the same ones, or choose another folder."
      )
    }
    return saved
  }

  /// Lets go of the folder. Of a run that failed before it saved anything, nothing is left.
  func close() {
    guard !isFinished else { return }
    // Without a checkpoint, nothing says what these images are.
    if !(unfinished?.hadCheckpoint ?? false) { memoryDirectory?.remove() }
    unfinished?.abandon()
  }

  // MARK: What the run works with

  /// What is known of the stream: from a look at its start, or from the checkpoint.
  func prepare(_ stream: RunStream) throws -> StreamPreparation {
    guard let saved else { return try StreamPreparation(stream, configuration) }
    if let snapshot = saved.shuffleBuffer { stream.buffer?.prepareToRestore(snapshot) }
    return try StreamPreparation(stream, configuration, resuming: saved.state, ledger: passed)
  }

  /// The ledger of a pass, where there is a place for it. Several passes over kept data need none.
  func openLedger() throws -> Ledger? {
    guard let unfinished else { return nil }
    let withSubjects = configuration.data.subjectKey != nil
    guard saved == nil else {
      return try passed.map { try Ledger(resuming: $0, in: unfinished.path, withSubjects: withSubjects) }
    }
    return configuration.method == .multiEpoch ? nil : Ledger(in: unfinished.path, withSubjects: withSubjects)
  }

  /// Where the images of the memory are.
  /// - Throws: `OnePassError`: `usage` if the run began with its memory elsewhere, or the folder is another run's; `io`,
  ///   `badData` if it cannot be read or written.
  func openMemory(_ stream: StreamPreparation, ranks: Ranks) throws -> MemoryImages {
    if ranks.count > 1, stream.plan.capacity != nil {
      return .shared(ImageTransfer(SharedImages(), ranks: ranks))
    }
    memoryDirectory = try saved.map { try openDirectory(of: $0) } ?? makeDirectory(stream)
    return memoryDirectory.map { .onDisk($0) } ?? .inProcess
  }

  private func openDirectory(of saved: UnfinishedRun.Saved) throws -> MemoryDirectory? {
    switch (configuration.memory.directory, saved.state.memoryRun) {
    case (let path?, let run?): return try MemoryDirectory(opening: path, run: run)
    case (nil, nil): return nil
    case (nil, _):
      throw OnePassError(
        .usage, "The run began with its memory on disk: say with --memory-directory where it is.")
    case (_, nil):
      throw OnePassError(.usage, "The run began with its memory in RAM: leave out --memory-directory.")
    }
  }

  private func makeDirectory(_ stream: StreamPreparation) throws -> MemoryDirectory? {
    guard let path = configuration.memory.directory, let first = stream.firstImage else { return nil }
    if let claimed = unfinished?.claimedMemory, try DiskImages.run(in: path) == claimed {
      // The run was interrupted before its first checkpoint, and begins again.
      DiskImages.remove(in: path)
    }
    // First the claim: what is made afterwards is known to be this run's, whenever it is interrupted.
    let run = UUID().uuidString
    try unfinished?.claimMemory(run)
    let form = StoredForm(configuration.storedFormat, pipeline: stream.pipeline)
    return try MemoryDirectory(
      creating: path, run: run, plan: stream.plan, imageBytes: form(first).byteCount)
  }

  /// Continues where the checkpoint was; does nothing without one.
  /// - Throws: `OnePassError` (`badData`) if the checkpoint is damaged, naming another one that is whole.
  func restore(_ loop: inout TrainingLoop, _ learner: Learner, _ records: RunRecords) throws {
    guard let saved else { return }
    records.restore(saved.state)
    func restoreAll() throws {
      try learner.restore(saved.state.learner, weights: saved.weights, optimiser: saved.optimiser)
      if let snapshot = saved.memory { try restoreMemory(snapshot, saved, &loop) }
      loop.restore(saved.state.loop)
    }
    try unfinished?.offeringAnother(restoreAll) ?? restoreAll()
  }

  private func restoreMemory(
    _ snapshot: MemorySnapshot, _ saved: UnfinishedRun.Saved, _ loop: inout TrainingLoop
  ) throws {
    if let images = memoryDirectory?.images, let archive = saved.archive {
      images.protect(saved.keptItems, in: archive)
      try images.restore(
        Set(snapshot.items.map(\.id)), position: saved.state.loop.incoming.tally.taken)
    }
    try loop.restoreMemory(snapshot) { id in
      guard let archive = saved.archive else {
        preconditionFailure("A checkpoint with a memory has an archive.")
      }
      return try archive.image(id: id)
    }
  }

  // MARK: The end

  /// Gives the finished run its name and removes what it needed until then.
  /// - Throws: `OnePassError` (`io`); everything that is needed to resume is still there.
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
