import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch

extension Ranks {
  /// Checks that all ranks have the same options, and that these support several ranks.
  /// - Throws: `OnePassError` (`usage`) on every rank.
  func check(_ configuration: RunConfiguration, _ source: any ExampleSource, continuing: Bool = false) throws
  {
    guard let group, count > 1 else { return }
    try group.ensureAgreement(of: "--continue", "\(continuing)")
    try group.ensureAgreement(of: "the version of onepass", onePassVersion)
    try group.ensureAgreement(of: "the kind of device", group.device == .cpu ? "cpu" : "cuda")
    for (name, value) in configuration.essence.options {
      try group.ensureAgreement(of: "--\(name)", value)
    }
    // Results do not depend on it, but every rank sends the images that it requests.
    try group.ensureAgreement(of: "--keep-pictures", "\(configuration.picturesKept)")
    // Evaluations are shared by all ranks.
    try group.ensureAgreement(
      of: "--eval-every", configuration.data.evaluationInterval.map { "\($0)" } ?? "none")
    if configuration.isLive {
      throw OnePassError.liveStreamOfSeveralProcesses(source.specification, processes: count)
    }
    if source.readsAgainToRestore {
      throw OnePassError.sourceOfOneProcess(source.specification, processes: count)
    }
    if configuration.memory.directory != nil {
      throw OnePassError.memoryDirectoryOfSeveralProcesses(count)
    }
    if configuration.data.shuffleBuffer != nil {
      throw OnePassError.shuffleBufferOfSeveralProcesses(count)
    }
    if configuration.machine.cudaGraphs { throw OnePassError.graphsOfSeveralProcesses(count) }
  }

  /// Checks that all ranks have the same stream, since files of the same name can differ between machines.
  /// - Throws: `OnePassError` (`usage`) on every rank.
  func check(_ stream: StreamPreparation) throws {
    guard let group, count > 1 else { return }
    if stream.configuration.recipe.batchSize < count {
      throw OnePassError.batchSizeBelowProcesses(stream.configuration.recipe.batchSize, processes: count)
    }
    let first = stream.firstImage.map { "\(LedgerEntry.Hash(of: $0))" } ?? ""
    for (name, value) in [
      ("the length of the stream", "\(stream.plan.streamExamples)"),
      ("the classes of the stream", "\(stream.plan.classes) \(stream.plan.classNames ?? [])"),
      ("the plan", try JSON.text(stream.plan)), ("the image pipeline", try JSON.text(stream.pipeline)),
      ("the model", stream.configuration.model.name), ("the model's stem", "\(stream.stem)"),
      ("the first image of the stream", first),
    ] { try group.ensureAgreement(of: name, value) }
  }

  /// Copies the first rank's saved state of a resumed run to every rank, without weights and images.
  func share(_ saved: UnfinishedRun.Saved?) throws -> UnfinishedRun.Saved? {
    guard let group else { return saved }
    let state = try broadcast(try saved.map { try JSONEncoder().encode($0.state) }, over: group)
    let index = try broadcast(try saved?.memory.map(MemoryIndex.encode), over: group)
    guard !isFirst, let state else { return saved }
    return UnfinishedRun.Saved(
      state: try JSONDecoder().decode(RunState.self, from: state), weights: nil, optimiser: nil,
      memory: try index.map { try MemoryIndex.decode($0, path: "the memory index from rank 0") },
      shuffleBuffer: nil, archive: nil, keptItems: [])
  }

  /// Returns the first rank's bytes, or `nil`, on every rank.
  private func broadcast(_ bytes: Data?, over group: ProcessGroup) throws -> Data? {
    let count = Int(try group.sum([isFirst ? Double(bytes?.count ?? -1) : 0])[0])
    guard count >= 0 else { return nil }
    var words = [Int64](repeating: 0, count: (count + 7) / 8)
    if let bytes, isFirst { words.withUnsafeMutableBytes { _ = bytes.copyBytes(to: $0) } }
    let tensor = try Tensor(words, shape: [words.count])
    if !words.isEmpty { try group.broadcast([tensor]) }
    return try tensor.integers().withUnsafeBytes { Data($0.prefix(count)) }
  }
}
