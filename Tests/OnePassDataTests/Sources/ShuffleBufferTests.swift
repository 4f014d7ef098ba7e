import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("The shuffle buffer") struct ShuffleBufferTests {
  /// Shards of 3 samples each, whose images contain their number.
  private func shards(_ count: Int, in folder: TemporaryFolder) throws -> String {
    for shard in 0..<count { try folder.write("t-\(shard).tar", tarBytes(tarSamples(3, from: shard * 3))) }
    return "wds:\(folder.path)/t-{0..\(count - 1)}.tar"
  }

  private func number(_ example: Example) -> Int {
    Int(String(decoding: example.image.bytes, as: UTF8.self).dropFirst("image ".count)) ?? -1
  }

  @Test(
    "A shuffle buffer conforms to the requirements of a source",
    arguments: [ShuffleBufferSize.examples(4), .examples(100), .bytes(ByteCount(500))])
  func conforms(size: ShuffleBufferSize) throws {
    let folder = try TemporaryFolder()
    let specification = try shards(4, in: folder)
    try checkConformance(count: 12, isShuffled: true) { seed in
      ShuffleBuffer(try SourceRegistry.open(specification, seed: 1), size: size, seed: seed)
    }
    // Examples beyond the limit are never read.
    let base = try SourceRegistry.open(specification, seed: 1)
    let limited = ShuffleBuffer(LimitedSource.first(5, of: base), size: size, seed: 1)
    #expect(Set(try takeAll(limited).map(number)) == Set(0..<5) && base.position == 5)
    #expect(try Survey.of(limited) == Survey(count: 5, classCount: 3))
  }

  /// With a buffer as large as the stream, the 24 orders of 4 examples are equally likely: chi-squared with 23 degrees of
  /// freedom is below 49.7 in 999 of 1,000 cases. The seeds are fixed.
  @Test("Every order is equally likely")
  func everyOrderIsEquallyLikely() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.tar", tarBytes(tarSamples(4)))
    var counts: [[Int]: Int] = [:]
    for seed in 0..<UInt64(2_400) {
      let source = ShuffleBuffer(try WebDatasetSource(path), size: .examples(4), seed: seed)
      counts[try takeAll(source).map(number), default: 0] += 1
    }
    let chiSquared = counts.values.reduce(0.0) { $0 + Double(($1 - 100) * ($1 - 100)) / 100 }
    #expect(counts.count == 24 && chiSquared < 49.7)
  }

  /// An example that enters a full buffer of m waits for d more deliveries with probability (1 − 1/m)^d / m.
  @Test("The time that an example waits is geometric")
  func theWaitIsGeometric() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.tar", tarBytes(tarSamples(60)))
    let (m, runs) = (5, 2_000)
    var waits = [Int](repeating: 0, count: 8)
    for seed in 0..<UInt64(runs) {
      let source = ShuffleBuffer(try WebDatasetSource(path), size: .examples(m), seed: seed)
      var place = 0
      while let example = try source.next(), number(example) != 20 { place += 1 }
      // Number 20 enters the buffer before delivery 16.
      waits[min(7, place - (20 - m + 1))] += 1
    }
    let stay = 1 - 1 / Double(m)
    let expected = (0..<7).map { pow(stay, Double($0)) / Double(m) } + [pow(stay, 7)]
    let chiSquared = zip(waits, expected).reduce(0.0) { sum, cell in
      let mean = cell.1 * Double(runs)
      return sum + (Double(cell.0) - mean) * (Double(cell.0) - mean) / mean
    }
    // 7 degrees of freedom: 24.3 in one of 1,000 cases.
    #expect(chiSquared < 24.3, "\(waits)")
  }

  @Test("The buffer holds and counts what its size allows")
  func itHoldsWhatIsAllowedAndCountsIt() throws {
    let folder = try TemporaryFolder()
    let specification = try shards(10, in: folder)
    let cost = "image 10".utf8.count + ShuffleBuffer.placeBytes
    for size in [ShuffleBufferSize.examples(7), .bytes(ByteCount(4 * cost))] {
      let source = ShuffleBuffer(try SourceRegistry.open(specification, seed: 1), size: size, seed: 1)
      var most = 0
      while try source.next() != nil { most = max(most, source.base.position - source.position + 1) }
      switch size {
      case .examples: #expect(most == 7 && source.peak.examples == 7)
      // Images 0 to 9 are a byte smaller. One more example waits.
      case .bytes:
        #expect(source.peak.examples == 4 && source.peak.bytes == 4 * cost && most == 5)
      }
    }
    let small = ShuffleBuffer(try SourceRegistry.open(specification, seed: 1), size: .examples(100), seed: 1)
    _ = try takeAll(small)
    #expect(small.peak.examples == 30)
    #expect(
      small.peak.bytes == (0..<30).reduce(0) { $0 + "image \($1)".utf8.count + ShuffleBuffer.placeBytes })
  }

  /// Images of very different sizes, some of them larger than the buffer: all are delivered, and the limit holds.
  @Test("A limit in bytes is never exceeded", arguments: [150, 1_000, 5_000])
  func bytesAreNeverExceeded(limit: Int) throws {
    let folder = try TemporaryFolder()
    let samples = tarSamples(80) { [UInt8](repeating: UInt8($0), count: $0 % 7 == 3 ? 3_000 : 1 + $0) }
    let path = try folder.write("a.tar", tarBytes(samples))
    let source = ShuffleBuffer(try WebDatasetSource(path), size: .bytes(ByteCount(limit)), seed: 3)
    var delivered: [UInt8] = []
    while let example = try source.next() {
      delivered.append(example.image.bytes[0])
      #expect(source.peak.bytes <= limit && source.base.position == source.position + source.waiting)
    }
    #expect(delivered.count == 80 && Set(delivered).count == 80)
    #expect((delivered == delivered.sorted()) == (limit == 150), "only a buffer without room keeps the order")
  }

  /// The snapshot may be older than the last delivery.
  @Test(
    "A stream resumes exactly from a snapshot", arguments: [0, 1, 3],
    [ShuffleBufferSize.examples(4), .bytes(ByteCount(600)), .bytes(ByteCount(1))])
  func aStreamResumesFromASnapshot(lag: Int, size: ShuffleBufferSize) throws {
    let folder = try TemporaryFolder()
    let specification = try shards(5, in: folder)
    func open() throws -> ShuffleBuffer {
      ShuffleBuffer(try SourceRegistry.open(specification, seed: 1), size: size, seed: 9)
    }
    let whole = try takeAll(open())
    for position in 0...15 {
      var source = try open()
      // Twice, so that a restored buffer is saved again.
      for stop in [position / 2, position] {
        while source.position < stop, try source.next() != nil {}
        let settled = max(0, stop - lag)
        source.settle(upTo: settled)
        let snapshot = source.snapshot
        #expect(snapshot.position == settled && snapshot.unsettled.count == min(lag, stop))
        source = try open()
        source.prepareToRestore(snapshot)
        try source.restore(position: settled)
        #expect(source.peak == snapshot.peak)
      }
      let rest = try takeAll(source)
      #expect(zip(rest, whole[max(0, position - lag)...]).allSatisfy(same))
      #expect(rest.count == 15 - max(0, position - lag))
    }
    let other = try open()
    other.prepareToRestore(.init(position: 3, basePosition: 0, held: [], unsettled: [], peak: .init()))
    expectError(.badData, naming: ["saved at example 3", "resumes at 4"]) { try other.restore(position: 4) }
  }

  /// Nothing changes before the request. After it, only examples that will be delivered are read.
  @Test(
    "An early end delivers everything that was taken",
    arguments: [ShuffleBufferSize.examples(4), .bytes(ByteCount(500))])
  func anEarlyEndLeavesNothing(size: ShuffleBufferSize) throws {
    let folder = try TemporaryFolder()
    let specification = try shards(10, in: folder)
    func open() throws -> ShuffleBuffer {
      ShuffleBuffer(try SourceRegistry.open(specification, seed: 1), size: size, seed: 9)
    }
    let whole = try takeAll(open())
    for start in 0...25 {
      let source = try open()
      let before = try (0..<start).compactMap { _ in try source.next() }
      let waiting = source.waiting
      #expect(waiting == source.base.position - start)
      for more in waiting...30 - start {
        let ended = try open()
        // The end is set before the stream is read again, before it is restored, or at its position.
        let first = more % 3 == 1 ? max(0, start - 2) : 0
        if more % 3 == 1 {
          source.settle(upTo: first)
          ended.prepareToRestore(source.snapshot)
          try ended.restore(position: first)
          #expect(ended.waiting == waiting + start - first)
        }
        if more % 3 < 2 { ended.end(at: start + more, from: start) }
        let again = try (first..<start).compactMap { _ in try ended.next() }
        #expect(zip(again, whole[first...]).allSatisfy(same) && again.count == start - first)
        if more % 3 == 2 { ended.end(at: start + more, from: start) }
        let rest = try (0..<more).compactMap { _ in try ended.next() }
        #expect(rest.count == more && ended.waiting == 0 && ended.base.position == start + more)
        #expect(Set((before + rest).map(\.image.bytes)).count == start + more)
      }
    }
  }

  @Test("Text that is not a size is refused", arguments: ["", "x", "-3", "10%"])
  func whatIsNoAmountIsRefused(text: String) {
    expectError(.usage, naming: ["shuffle"]) { _ = try ShuffleBufferSize(text) }
  }

  @Test("Sizes are the same after writing and reading")
  func amountsSurviveTheirRecord() throws {
    for text in ["2", "10000", "500MB", "1GB"] {
      let size = try ShuffleBufferSize(text)
      #expect(try ShuffleBufferSize(size.description) == size)
    }
    expectError(.usage, naming: ["--shuffle-buffer must be 2 ", "(got 1)"]) { _ = try ShuffleBufferSize("1") }
  }
}
