import OnePassCore
import OnePassData
import TestSupport
import Testing

@testable import OnePass

/// A stream of synthetic examples without random access.
final class SyntheticSource: ExampleSource {
  let specification = "synthetic"
  let length: Int
  let knownCount: Int?
  let classNames: [String]? = nil
  let knownClassCount: Int? = 10
  private(set) var position = 0

  init(_ length: Int, tellsLength: Bool = true) {
    self.length = length
    knownCount = tellsLength ? length : nil
  }

  func next() -> Example? {
    guard position < length else { return nil }
    defer { position += 1 }
    return .synthetic(position)
  }

  func restore(position: Int) { self.position = position }
}

/// Grey images of 8 x 8 pixels, of unknown number.
final class PixelSource: ExampleSource {
  let specification = "pixels"
  let length: Int
  let knownCount: Int? = nil
  let classNames: [String]? = nil
  let knownClassCount: Int? = 2
  private(set) var position = 0

  init(_ length: Int) { self.length = length }

  func next() -> Example? {
    guard position < length else { return nil }
    defer { position += 1 }
    let pixels = [UInt8](repeating: UInt8(position), count: 64)
    return Example(
      id: position, label: position % 2,
      image: EncodedImage(bytes: pixels, encoding: .pixels(width: 8, height: 8, channels: 1)))
  }

  func restore(position: Int) { self.position = position }
}

@Suite("Feeds of mini-batches") struct FeedTests {
  @Test("A stream is read once and in order, starting with the examples that were peeked at")
  func aStreamIsTakenOnceInOrderAndTheExamplesLookedAtComeFirst() throws {
    let source = SyntheticSource(100)
    let taken = [source.next(), source.next(), source.next()].compactMap { $0 }
    var feed = StreamFeed(source, alreadyTaken: taken, limit: 90)
    var ids: [Int] = []
    while case let batch = try feed.next(32), !batch.isEmpty { ids += batch.map(\.id) }
    #expect(ids == Array(0..<90))
    #expect(source.position == 90, "Nothing beyond the limit is taken from the stream.")
    #expect(try feed.next(1).isEmpty)
  }

  /// With any number of ranks, the parts are the mini-batches, and each rank sees one example more than its part.
  @Test("Ranks divide the stream, and each has a witness of another part", arguments: [2, 3, 5])
  func ranksDivideTheStream(ranks: Int) throws {
    let shares = BatchShares(ranks: ranks)
    var ids: [Int] = []
    var feeds = (0..<ranks).map { _ in StreamFeed(SyntheticSource(100), alreadyTaken: [], limit: 90) }
    while true {
      let parts = try feeds.indices.map { try feeds[$0].next(32, for: $0, of: shares) }
      if parts[0].isEnd { break }
      ids += parts.flatMap(\.examples).map(\.id)
      for part in parts {
        let witness = try #require(part.witness)
        #expect(!part.examples.contains { $0.id == witness.id } && ids.contains(witness.id))
      }
    }
    #expect(ids == Array(0..<90))
  }

  @Test(
    "A source that repeats or skips positions is detected", arguments: [[0, 1, 1, 2], [0, 2, 3], [1, 2]])
  func aSourceThatRepeatsOrLeavesOutIsFoundOut(ids: [Int]) {
    let source = SyntheticSource(4)
    var feed = StreamFeed(source, alreadyTaken: ids.map { .synthetic($0) }, limit: 10)
    #expect {
      _ = try feed.next(10)
    } throws: { ($0 as? OnePassError)?.code == .badData && "\($0)".contains("instead of") }
  }

  @Test("A multi-epoch run counts the examples that exist")
  func aMultiEpochRunCountsWhatThereReallyIs() throws {
    var configuration = RunConfiguration(data: "test")
    (configuration.method, configuration.epochs, configuration.data.limit) = (.multiEpoch, 3, 1_000)
    (configuration.model.imageSize, configuration.recipe.batchSize) = (8, 128)
    let source = PixelSource(50)
    #expect(try StreamPreparation(RunStream(source), configuration).plan.updates == 3)
  }

  @Test("Every epoch has a different order of all examples")
  func everyEpochIsAnotherOrderOfAllExamples() throws {
    let kept = try KeptStream(SyntheticSource(50), alreadyTaken: [], limit: .max)
    var feed = EpochFeed(kept, epochs: 3, seed: 1)
    var passes: [[Int]] = []
    var sizes: [Int] = []
    while case let batch = try feed.next(16), !batch.isEmpty {
      if feed.pass == passes.count { passes.append([]) }
      passes[feed.pass] += batch.map(\.id)
      sizes.append(batch.count)
    }
    #expect(sizes == [16, 16, 16, 2, 16, 16, 16, 2, 16, 16, 16, 2])
    #expect(passes.count == 3 && passes.allSatisfy { $0.sorted() == Array(0..<50) })
    #expect(Set(passes).count == 3)
  }

  /// A new feed continues after any number of mini-batches, including at the end of a pass.
  @Test("A feed resumes after any mini-batch")
  func feedsGoOnAfterAnyMiniBatch() throws {
    func feeds() throws -> [any ExampleFeed] {
      let kept = try KeptStream(SyntheticSource(50), alreadyTaken: [], limit: .max)
      return [
        EpochFeed(kept, epochs: 3, seed: 1), StreamFeed(SyntheticSource(100), alreadyTaken: [], limit: 90),
      ]
    }
    func rest(of feed: inout any ExampleFeed) throws -> [String] {
      var rest: [String] = []
      while case let batch = try feed.next(16), !batch.isEmpty {
        rest.append("\(feed.pass) \(batch.map(\.id))")
      }
      return rest
    }
    for kind in 0..<2 {
      for batches in 0...12 {
        var feed = try feeds()[kind]
        var taken = 0
        for _ in 0..<batches { taken += try feed.next(16).count }
        var other = try feeds()[kind]
        try other.resume(after: taken, ledger: nil, .sample)
        #expect(try rest(of: &other) == rest(of: &feed), "after \(batches) mini-batches")
      }
    }
  }
}
