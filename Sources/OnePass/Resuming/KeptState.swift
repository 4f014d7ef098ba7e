import Foundation
import OnePassCore
import OnePassData
import OnePassTorch

/// The state that a finished run keeps for `--extend`: its last checkpoint with momentum, averages and the images of its memory.
///
/// A run that extends it starts from a copy in its own folder, so that the finished run never changes.
struct KeptState {
  /// The name of its folder in the folder of the run.
  static let folderName = "state"

  /// Makes the state of a finished run the checkpoint of a new one.
  ///
  /// The new run is planned for the examples of both. Its position is that of the finished run.
  /// - Parameters:
  ///   - run: The folder of the finished run.
  ///   - output: The folder of the new run.
  ///   - stream: The stream of the new run.
  /// - Throws: `OnePassError`: `usage` if the run is unfinished, kept no state, or had other options; `io` if a file cannot be
  ///   read or written.
  static func copy(
    from run: String, to output: String, _ requested: RunConfiguration, _ stream: RunStream
  ) throws {
    let last = try read(run)
    let (configuration, _) = requested.adoptingChoice(of: last.state.configuration)
    guard configuration.method != .multiEpoch else {
      throw OnePassError.extendingSeveralPasses()
    }
    var before = last.state.configuration
    before.data.limit = configuration.data.limit
    if let difference = configuration.difference(fromRecord: before) {
      throw OnePassError.runHasOtherOptions(run, difference: difference)
    }
    var state = last.state
    state.plan = try TrainingPlan(
      extending: state, configuration, by: length(of: stream, configuration))
    state.configuration = configuration.withoutSecrets
    (state.loop.position.coolDown, state.learner.coolDown) = (nil, nil)
    try copy(last.folder, state, from: run, to: output)
  }

  /// Whether a run has one.
  static func exists(in run: String) throws -> Bool {
    try UnfinishedRun(in: run, kept: 1, folder: folderName).hasCheckpoint
  }

  private static func read(_ run: String) throws -> UnfinishedRun.Contents {
    guard FileManager.default.fileExists(atPath: "\(run)/result.json") else {
      throw try UnfinishedRun.hasCheckpoint(in: run)
        ? OnePassError.extendingUnfinishedRun(run) : OnePassError.noRun(in: run)
    }
    let state = UnfinishedRun(in: run, kept: 1, folder: folderName)
    try state.checkForgetting()
    guard let last = try UnfinishedRun.checkpoints(in: state.path).last else {
      throw OnePassError.noStateToExtend(run)
    }
    return try UnfinishedRun.contents(of: last)
  }

  private static func length(of stream: RunStream, _ configuration: RunConfiguration) throws -> Int {
    if let limit = configuration.data.limit { return min(limit, stream.source.knownCount ?? limit) }
    if let count = stream.source.knownCount { return count }
    do { return try Survey.of(stream.arriving).count } catch let error as OnePassError
      where error.code == .usage
    {
      throw OnePassError.streamNotCountable(
        stream.source.specification, needsLimit: true, needsClasses: false, cause: error)
    }
  }

  /// Copies all files, the checkpoint last: without it there is no run in `output`.
  private static func copy(
    _ checkpoint: CheckpointFolder, _ state: RunState, from run: String, to output: String
  ) throws {
    let files = FileManager.default
    let target = "\(output)/\(UnfinishedRun.folderName)"
    do {
      try? files.removeItem(atPath: target)
      try files.createDirectory(atPath: target, withIntermediateDirectories: true)
      let names = try files.contentsOfDirectory(atPath: "\(run)/\(folderName)")
      for name in names
      where !name.hasPrefix("step-") && !name.hasPrefix(".") && name != UnfinishedRun.keepName {
        try files.copyItem(atPath: "\(run)/\(folderName)/\(name)", toPath: "\(target)/\(name)")
      }
      for name in [Ledger.fileName, SubjectLog.fileName] where files.fileExists(atPath: "\(run)/\(name)") {
        try? files.removeItem(atPath: "\(target)/\(name)")
        try files.copyItem(atPath: "\(run)/\(name)", toPath: "\(target)/\(name)")
      }
      for name in try files.contentsOfDirectory(atPath: target) {
        try DurableFile.synchronise("\(target)/\(name)")
      }
    } catch { throw OnePassError.unwritableFile(target, cause: error) }
    _ = try CheckpointFolder.write(to: "\(target)/\(checkpoint.name)") { partial in
      for name in try files.contentsOfDirectory(atPath: checkpoint.path)
      where name != RunState.fileName && name != CheckpointFolder.manifest {
        try files.copyItem(atPath: checkpoint.path(of: name), toPath: "\(partial)/\(name)")
      }
      try Data(JSON.text(state).utf8).write(to: URL(fileURLWithPath: "\(partial)/\(RunState.fileName)"))
    }
  }
}
