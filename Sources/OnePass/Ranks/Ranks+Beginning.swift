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
    let options = configuration.essence.options + [("data", configuration.data)]
    for (name, value) in options { try group.ensureAgreement(of: "--\(name)", value) }
    func refuse(_ sentence: String) throws -> Never { throw OnePassError(.usage, sentence) }
    if source.readsAgainToRestore {
      try refuse("\(source.specification) comes to one process only, and \(count) were started: use files.")
    }
    if configuration.memoryDirectory != nil {
      try refuse(
        "--memory-directory is for one process, and \(count) were started: leave it out; each keeps its share in RAM."
      )
    }
    if configuration.shuffleBuffer != nil {
      try refuse(
        "--shuffle-buffer is for one process, and \(count) were started: leave it out, and shuffle with onepass pack."
      )
    }
    if configuration.cudaGraphs {
      try refuse("--cuda-graphs is for one process, and \(count) were started: leave it out.")
    }
    if configuration.batchSize < count {
      try refuse(
        "A mini-batch of \(configuration.batchSize) examples has no part for each of \(count) processes: "
          + "raise --batch-size, or start fewer.")
    }
  }

  /// What the first rank has read of a run that goes on, on every rank; weights and images stay there.
  func share(_ saved: UnfinishedRun.Saved?) throws -> UnfinishedRun.Saved? {
    guard let group else { return saved }
    let state = try saved.map { Array(try JSONEncoder().encode($0.state)) } ?? []
    let index = try saved?.memory.map { Array(try MemoryIndex.encode($0)) } ?? []
    let (states, indices) = (try group.gather(state), try group.gather(index))
    guard !isFirst, !states[0].isEmpty else { return saved }
    let path = "what rank 0 read of the run"
    return UnfinishedRun.Saved(
      state: try JSONDecoder().decode(RunState.self, from: Data(states[0])), weights: nil, optimiser: nil,
      memory: indices[0].isEmpty ? nil : try MemoryIndex.decode(Data(indices[0]), path: path),
      shuffleBuffer: nil, archive: nil, keptItems: [])
  }
}
