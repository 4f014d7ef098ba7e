import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Writing shards") struct ShardWriterTests {
  /// Files with different bytes and the label `number % 3`.
  private func stream(_ count: Int, in folder: TemporaryFolder) throws -> String {
    let entries = tarSamples(count) { [0xFF, 0xD8, 0xFF] + Array("\($0)".utf8) }
    return "wds:" + (try folder.write("stream.tar", tarBytes(entries)))
  }

  private func numbers(_ examples: [Example]) -> [Int] {
    examples.map { Int(String(decoding: $0.image.bytes.dropFirst(3), as: UTF8.self)) ?? -1 }
  }

  @Test("Every example is written once, in a random order", arguments: ["tar", "tar.gz", "tgz", "tar.zst"])
  func everyExampleArrivesOnceInRandomOrder(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let source = try SourceRegistry.open(try stream(1000, in: folder), seed: 1)
    let output = "\(folder.path)/out-{00..06}.\(ending)"
    let report = try ShardWriter(output: output, seed: 1).write(source)
    #expect(report.exampleCount == 1000)
    #expect(report.shardPaths.count == 7)
    #expect(try report.byteCount == report.shardPaths.reduce(0) { try $0 + contents(of: $1).count })

    let packed = try WebDatasetSource(output)
    #expect(packed.knownCount == 1000)
    let examples = try takeAll(packed)
    let order = numbers(examples)
    #expect(order.sorted() == Array(0..<1000))
    #expect(zip(order, examples).allSatisfy { $0 % 3 == $1.label })
    // The bound is 4 standard deviations: Spearman's correlation of a random order has mean 0 and variance 1 / (n - 1).
    let mean = 499.5
    let products = order.enumerated().reduce(0.0) {
      $0 + (Double($1.offset) - mean) * (Double($1.element) - mean)
    }
    #expect(abs(products / (1000 * (1e6 - 1) / 12)) < 4 / 999.0.squareRoot())
  }

  /// The 24 orders of four streamed examples are equally likely: chi-squared with 23 degrees of freedom is below 49.7
  /// in 999 of 1,000 cases. The seeds are fixed.
  @Test("Every order of a stream is equally likely")
  func everyOrderOfAStreamIsEquallyLikely() throws {
    let folder = try TemporaryFolder()
    let path = String(try stream(4, in: folder).dropFirst("wds:".count))
    var counts: [[Int]: Int] = [:]
    let draws = 720
    for seed in 0..<UInt64(draws) {
      let source = try WebDatasetSource(path)
      let shuffled = try SpillBuckets(taking: source, seed: seed, bucketCount: 3)
      let order = try (0..<4).map { _ in try shuffled.next().file.dropFirst(3) }
      counts[order.map { Int($0[3]) }, default: 0] += 1
    }
    let expected = Double(draws) / 24
    let chiSquared = counts.values.reduce(0.0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    #expect(counts.count == 24)
    #expect(chiSquared < 49.7)
  }

  @Test("The same seed writes the same bytes", arguments: ["tar", "tar.gz", "tar.zst"])
  func sameSeedSameBytes(_ ending: String) throws {
    let folder = try TemporaryFolder()
    let specification = try stream(50, in: folder)
    let packed = try [(1, "a"), (1, "b"), (2, "c")].map { seed, name in
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
      let writer = try ShardWriter(output: "\(folder.path)/\(name)/x-{0..1}.\(ending)", seed: UInt64(seed))
      let report = try writer.write(try SourceRegistry.open(specification, seed: 1))
      return try (report.shardPaths + [report.indexPath]).map(contents)
    }
    #expect(packed[0] == packed[1])
    #expect(packed[0] != packed[2])
    // RFC 1952: bytes 4 to 7 are the time, which would differ a second later.
    if ending == "tar.gz" { #expect(packed[0][0][4..<8].allSatisfy { $0 == 0 }) }
  }

  @Test("Pixels are written as PNG, and classes are kept")
  func pixelsBecomePNGAndClassesStay() throws {
    let folder = try TemporaryFolder()
    try folder.write("train-images-idx4-ubyte", idxBytes([6, 2, 2, 3], (0..<72).map { UInt8($0) }))
    try folder.write("train-labels-idx1-ubyte", idxBytes([6], [0, 1, 2, 0, 1, 2]))
    let source = try SourceRegistry.open("idx:\(folder.path)", seed: 1, classNames: ["a", "b", "c/d"])
    let report = try ShardWriter(output: "\(folder.path)/p.tar", seed: 1).write(source)
    #expect(report.indexPath == "\(folder.path)/p.json")
    let packed = try WebDatasetSource("\(folder.path)/p.tar")
    #expect(packed.classNames == ["a", "b", "c/d"])
    let examples = try takeAll(packed)
    #expect(examples.map(\.label).sorted() == [0, 0, 1, 1, 2, 2])
    #expect(examples.map(\.label) != (try takeAll(source)).map(\.label))
    #expect(examples.allSatisfy { imageExtension(of: $0.image.bytes) == "png" })
  }

  @Test("A failure leaves no partly written shards")
  func nothingHalfWrittenRemains() throws {
    let folder = try TemporaryFolder()
    try folder.write("in/cat/a.jpg", [1])
    let gone = try folder.write("in/cat/b.jpg", [2])
    let source = try SourceRegistry.open("folder:\(folder.path)/in", seed: 1)
    try FileManager.default.removeItem(atPath: gone)
    expectError(.io, naming: ["b.jpg"]) {
      _ = try ShardWriter(output: "\(folder.path)/o-{0..1}.tar", seed: 1).write(source)
    }
    let cut = try folder.write("cut.tar", Array(tarBytes(tarSamples(3)).dropLast(1024)))
    expectError(.badData, naming: ["cut.tar"]) {
      _ = try ShardWriter(output: "\(folder.path)/o-{0..1}.tar", seed: 1).write(try WebDatasetSource(cut))
    }
    #expect(try folder.contents == ["cut.tar", "in"])
  }

  @Test("A stop leaves no file, whether the source is a table or a stream")
  func aStopLeavesNothing() throws {
    struct Stopped: Error {}
    let folder = try TemporaryFolder()
    for name in ["cat/a.jpg", "cat/b.jpg", "dog/c.jpg"] {
      try folder.write("in/\(name)", [0xFF, 0xD8, 0xFF])
    }
    let stream = try stream(3, in: folder)
    for (specification, after) in [("folder:\(folder.path)/in", 1), (stream, 1), (stream, 4)] {
      var calls = 0
      #expect(throws: Stopped.self) {
        _ = try ShardWriter(output: "\(folder.path)/o-{0..1}.tar", seed: 1).write(
          try SourceRegistry.open(specification, seed: 1)
        ) {
          calls += 1
          if calls > after { throw Stopped() }
        }
      }
      #expect(try folder.contents == ["in", "stream.tar"], "\(specification)")
    }
  }

  @Test("Unfinished files of a killed process are removed, those of a running one are not")
  func unfinishedFiles() throws {
    let folder = try TemporaryFolder()
    let source = { try SourceRegistry.open(try stream(6, in: folder), seed: 1) }
    let writer = try ShardWriter(output: "\(folder.path)/o-{0..1}.tar", seed: 1)
    for name in ["o.json.partial", "o-0.tar.partial", "o-1.tar.partial"] {
      try folder.write(name, [1, 2, 3])
    }
    let lock = open("\(folder.path)/o.json.partial", O_RDWR)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    expectError(.io, naming: ["o.json.partial", "another process writes"]) {
      _ = try writer.write(try source())
    }
    #expect(try folder.contents.count == 4)
    flock(lock, LOCK_UN)
    #expect(try writer.write(try source()).removedCount == 3)
    #expect(try folder.contents == ["o-0.tar", "o-1.tar", "o.json", "stream.tar"])
    #expect(try takeAll(WebDatasetSource("\(folder.path)/o-{0..1}.tar")).count == 6)
  }

  @Test("A negative label is refused, since no reader would take it")
  func negativeLabels() throws {
    let folder = try TemporaryFolder()
    let unlabelled = LabelledImage(EncodedImage(bytes: [0xFF, 0xD8, 0xFF]), label: -1)
    let source = SequenceSource("numbers", [unlabelled], classCount: 2)
    expectError(.badData, naming: ["Example 0 has label -1"]) {
      _ = try ShardWriter(output: "\(folder.path)/o.tar", seed: 1).write(source)
    }
    #expect(try folder.contents.isEmpty)
  }

  @Test("Invalid requests are refused")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let source = { try WebDatasetSource(try folder.write("s.tar", tarBytes(tarSamples(3)))) }
    func pack(_ output: String) throws {
      _ = try ShardWriter(output: "\(folder.path)/\(output)", seed: 1).write(try source())
    }
    expectError(.usage, naming: ["o.zip", ".tar.zst"]) { try pack("o.zip") }
    expectError(.usage, naming: ["3 examples", "4 shards"]) { try pack("o-{0..3}.tar") }
    expectError(.usage, naming: ["--output", "twice"]) { try pack("o{,}.tar") }
    expectError(.io, naming: ["s.tar/"]) { try pack("s.tar/o.tar") }
    try pack("o-{0..2}.tar")
    expectError(.usage, naming: ["o-1.tar: already exists"]) { try pack("o-{1..3}.tar") }
    expectError(.badData, naming: ["no examples"]) {
      let empty = try WebDatasetSource(try folder.write("e.tar", tarBytes([])))
      _ = try ShardWriter(output: "\(folder.path)/e-{0..1}.tar", seed: 1).write(empty)
    }
    #expect(try folder.contents == ["e.tar", "o-0.tar", "o-1.tar", "o-2.tar", "o.json", "s.tar"])
  }
}
