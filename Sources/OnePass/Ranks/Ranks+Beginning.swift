import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch

extension Ranks {
  /// Makes sure that the ranks were asked for the same, and for something that several can do.
  /// - Throws: `OnePassError` (`usage`), on every rank alike.
  func check(_ configuration: RunConfiguration, _ source: any ExampleSource) throws {
    guard let group, count > 1 else { return }
    try group.ensureAgreement(of: "the version of onepass", onePassVersion)
    try group.ensureAgreement(of: "the kind of device", group.device == .cpu ? "cpu" : "cuda")
    for (name, value) in configuration.essence.options {
      try group.ensureAgreement(of: "--\(name)", value)
    }
    // No result depends on it, but all of them send what is asked for.
    try group.ensureAgreement(of: "--keep-pictures", "\(configuration.picturesKept)")
    func refuse(_ sentence: String) throws -> Never { throw OnePassError(.usage, sentence) }
    if source.readsAgainToRestore {
      try refuse("\(source.specification) comes to one process only, and \(count) were started: use files.")
    }
    if configuration.memory.directory != nil {
      try refuse(
        "--memory-directory is for one process, and \(count) were started: leave it out; each keeps its share in RAM."
      )
    }
    if configuration.data.shuffleBuffer != nil {
      try refuse(
        "--shuffle-buffer is for one process, and \(count) were started: leave it out, and shuffle with onepass pack."
      )
    }
    if configuration.machine.cudaGraphs {
      try refuse("--cuda-graphs is for one process, and \(count) were started: leave it out.")
    }
    if configuration.recipe.batchSize < count {
      try refuse(
        "A mini-batch of \(configuration.recipe.batchSize) examples has no part for each of \(count) processes: "
          + "raise --batch-size, or start fewer.")
    }
  }

  /// Makes sure that the ranks found the same stream, which files of the same name need not hold.
  /// - Throws: `OnePassError` (`usage`), on every rank alike.
  func check(_ stream: StreamPreparation) throws {
    guard let group, count > 1 else { return }
    let first = stream.firstImage.map { "\(LedgerEntry.Hash(of: $0))" } ?? ""
    for (name, value) in [
      ("the length of the stream", "\(stream.plan.streamExamples)"),
      ("the classes of the stream", "\(stream.plan.classes) \(stream.plan.classNames ?? [])"),
      ("the plan", try JSON.text(stream.plan)), ("the image pipeline", try JSON.text(stream.pipeline)),
      ("the model's stem", "\(stream.stem)"), ("the first image of the stream", first),
    ] { try group.ensureAgreement(of: name, value) }
  }

  /// What the first rank has read of a run that goes on, on every rank; weights and images stay there.
  func share(_ saved: UnfinishedRun.Saved?) throws -> UnfinishedRun.Saved? {
    guard let group else { return saved }
    let state = try broadcast(try saved.map { try JSONEncoder().encode($0.state) }, over: group)
    let index = try broadcast(try saved?.memory.map(MemoryIndex.encode), over: group)
    guard !isFirst, let state else { return saved }
    return UnfinishedRun.Saved(
      state: try JSONDecoder().decode(RunState.self, from: state), weights: nil, optimiser: nil,
      memory: try index.map { try MemoryIndex.decode($0, path: "what rank 0 read of the run") },
      shuffleBuffer: nil, archive: nil, keptItems: [])
  }

  /// The first rank's bytes, or that it has none, on every rank.
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
