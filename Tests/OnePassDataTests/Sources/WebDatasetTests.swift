import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("WebDataset shards") struct WebDatasetTests {
  @Test("Shards conform to the requirements of a source")
  func conforms() throws {
    let folder = try TemporaryFolder()
    for shard in 0..<3 { try folder.write("t-\(shard).tar", tarBytes(tarSamples(3, from: shard * 3))) }
    let specification = "wds:\(folder.path)/t-{0..2}.tar"
    try checkConformance(count: 9, isShuffled: false) { try SourceRegistry.open(specification, seed: $0) }
    try checkConformance(count: 5, isShuffled: false) {
      LimitedSource.first(5, of: try SourceRegistry.open(specification, seed: $0))
    }
    try folder.write("t.json", Array(index(counts: [3, 3, 3]).utf8))
    try checkConformance(count: 9, isShuffled: false) { try SourceRegistry.open(specification, seed: $0) }
    let known = try SourceRegistry.open(specification, seed: 1)
    #expect(known.knownCount == 9)
    #expect(known.classNames == ["ant", "bee", "cat"])
    #expect(try Survey.of(LimitedSource.first(4, of: known)) == Survey(count: 4, classCount: 3))
  }

  private func index(counts: [Int]) -> String {
    let shards = counts.enumerated().map {
      #"{"url": "pipe:cat x/t-\#($0).tar", "nsamples": \#($1), "more": 1}"#
    }
    return
      #"{"__kind__": "wids-shard-index-v1", "wids_version": 1, "classes": ["ant", "bee", "cat"], "shardlist": [\#(shards.joined(separator: ","))]}"#
  }

  /// The reference is what the webdataset library reads from the same archives (Tools/reference_shards.py).
  @Test(
    "Shards give what the webdataset library reads",
    arguments: ["ustar.tar", "gnu.tar.gz", "pax.tar.gz", "pax.tar.zst"])
  func readsWhatTheLibraryReads(_ shard: String) throws {
    let expected = try JSONSerialization.jsonObject(with: Data(contents(of: fixture("expected.json"))))
    let samples = try #require((expected as? [String: [[Any]]])?[shard])
    let examples = try takeAll(WebDatasetSource(fixture(shard)))
    #expect(examples.map(\.label) == samples.map { $0[2] as? Int })
    #expect(
      examples.map { String(decoding: $0.image.bytes, as: UTF8.self) } == samples.map { $0[1] as? String })
    let labels = examples.map(\.label)
    #expect(
      try WebDatasetSource(fixture(shard)).survey()
        == Survey(count: labels.count, classCount: labels.max()! + 1))
  }

  private func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.path(forResource: "Fixtures/shards/\(name)", ofType: nil))
  }

  @Test("A survey counts without moving the stream")
  func surveyCountsWithoutMovingTheStream() throws {
    let folder = try TemporaryFolder()
    let large = [UInt8](repeating: 7, count: 100_000)
    let path = try folder.write(
      "a.tar", tarBytes([("x.jpg", large), ("x.cls", [52]), ("y.png", large), ("y.cls", [48])]))
    let source = try WebDatasetSource(path)
    #expect(source.knownCount == nil)
    #expect(source.knownClassCount == nil)
    #expect(try Survey.of(source) == Survey(count: 2, classCount: 5))
    #expect(source.knownCount == 2)
    #expect(source.knownClassCount == 5)
    #expect(try takeAll(source).map(\.label) == [4, 0])
  }

  @Test("Class names can stand for labels")
  func classNamesMayStandForLabels() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.tar", tarBytes([("x.jpg", []), ("x.cls", Array("bee\n".utf8))]))
    #expect(try takeAll(WebDatasetSource(path, classNames: ["ant", "bee"])).map(\.label) == [1])
    expectError(.badData, naming: ["\"bee\"", "\"x\"", "a.tar"]) { _ = try takeAll(WebDatasetSource(path)) }
  }

  @Test(
    "Incomplete samples are named",
    arguments: [
      ("x.jpg", "no label"), ("x.cls", "no image"), ("x.jpg y.cls", "no label"), ("x.cls y.jpg", "no image"),
      ("x.jpg x.JPG x.cls", "two entries"), ("x.jpg x.cls x.cls", "two entries"),
    ])
  func incompleteSamplesAreNamed(names: String, words: String) throws {
    let folder = try TemporaryFolder()
    let entries = names.split(separator: " ").map { (name: String($0), body: [UInt8(ascii: "1")]) }
    let path = try folder.write("a.tar", tarBytes(tarSamples(1) + entries))
    let source = try WebDatasetSource(path)
    var taken = 0
    expectError(.badData, naming: ["a.tar", "\"x\"", words]) {
      while try source.next() != nil { taken += 1 }
    }
    #expect((1...2).contains(taken))
    expectError(.badData, naming: ["a.tar"]) { _ = try source.next() }
  }

  /// Such a sample is complete only at the end of the shard.
  @Test("The last image may have a compound extension")
  func theLastImageMayHaveACompoundExtension() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.tar", tarBytes(tarSamples(1) + [("1.cls", [49]), ("1.left.jpg", [7])]))
    let source = try WebDatasetSource(path)
    #expect(try takeAll(source).map(\.image.bytes) == [Array("image 0".utf8), [7]])
    #expect(try source.next() == nil)
  }

  @Test("A shard with another number of examples than its index states is refused")
  func aShardWithAnotherCountIsRefused() throws {
    let folder = try TemporaryFolder()
    for shard in 0..<2 { try folder.write("t-\(shard).tar", tarBytes(tarSamples(3, from: shard * 3))) }
    try folder.write("t.json", Array(index(counts: [3, 4]).utf8))
    let source = try WebDatasetSource("\(folder.path)/t-{0..1}.tar")
    #expect(source.knownCount == 7)
    expectError(.badData, naming: ["t-1.tar: 3 examples, but its index states 4"]) { _ = try takeAll(source) }
    let part = try WebDatasetSource("\(folder.path)/t-{0,0}.tar")
    #expect(part.knownCount == 6)
  }

  @Test("Other JSON files beside the shards are ignored")
  func otherJSONBesideTheShardsIsLeftAlone() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("t.tar", tarBytes(tarSamples(1)))
    for text in ["", "{", "[1]", #"{"__kind__": "else"}"#] {
      try folder.write("t.json", Array(text.utf8))
      #expect(try WebDatasetSource(path).knownCount == nil)
    }
    try folder.write("t.json", Array(#"{"__kind__": "wids-shard-index-v1", "wids_version": 1}"#.utf8))
    expectError(.badData, naming: ["t.json"]) { _ = try WebDatasetSource(path) }
  }

  @Test("An index with other classes than requested is refused")
  func otherClassesAreRefused() throws {
    let folder = try TemporaryFolder()
    for shard in 0..<2 { try folder.write("t-\(shard).tar", tarBytes(tarSamples(3))) }
    try folder.write("t.json", Array(index(counts: [3, 3]).utf8))
    expectError(.badData, naming: ["3 classes", "2 classes", "\"ant\" is not \"x\""]) {
      _ = try WebDatasetSource("\(folder.path)/t-{0..1}.tar", classNames: ["x", "bee"])
    }
  }

  @Test("Folders are not shards")
  func foldersAreNotShards() throws {
    let folder = try TemporaryFolder()
    expectError(.usage, naming: [folder.path, "is a folder"]) { _ = try WebDatasetSource(folder.path) }
  }

  @Test("Standard input cannot be surveyed")
  func standardInputCannotBeReadAhead() throws {
    expectError(.usage, naming: ["standard input"]) { _ = try Survey.of(WebDatasetSource("-")) }
    expectError(.usage, naming: ["cannot be combined"]) { _ = try WebDatasetSource("{-,a.tar}") }
  }

  /// The input is two concatenated archives.
  @Test("Shards are read from standard input")
  func readsStandardInput() throws {
    let pipe = Pipe()
    let own = dup(STDIN_FILENO)
    dup2(pipe.fileHandleForReading.fileDescriptor, STDIN_FILENO)
    pipe.fileHandleForWriting.write(Data(tarBytes(tarSamples(2)) + tarBytes(tarSamples(3, from: 2))))
    try pipe.fileHandleForWriting.close()
    let source = try SourceRegistry.open("wds:-", seed: 1)
    let first = try source.next()
    dup2(own, STDIN_FILENO)
    close(own)
    #expect(first?.label == 0)
    #expect(try takeAll(source).map(\.id) == [1, 2, 3, 4])
  }
}

@Suite("Patterns of shard names") struct ShardPatternTests {
  /// The reference is braceexpand 0.1.7, which the webdataset library uses.
  @Test(
    "Patterns expand as in braceexpand",
    arguments: [
      ("a.tar", ["a.tar"]), ("{0..2}", ["0", "1", "2"]), ("{08..11}x", ["08x", "09x", "10x", "11x"]),
      ("{2..0}", ["2", "1", "0"]), ("{0..02}", ["00", "01", "02"]),
      ("{a,b}/{0..1}.t", ["a/0.t", "a/1.t", "b/0.t", "b/1.t"]),
      ("x{,.b}", ["x", "x.b"]), ("{5..5}", ["5"]),
    ])
  func expands(_ pattern: String, to shards: [String]) throws {
    #expect(try ShardPattern(pattern).shards == shards)
  }

  @Test(
    "Invalid patterns are refused",
    arguments: [
      "{", "}", "a}b{", "{a}", "{a..b..c}", "{1..}", "{{1..2}}", "{x,{1..2}}", "{1..9999999999}",
      "{0..9999}{0..9999}",
    ])
  func refuses(_ pattern: String) {
    expectError(.usage, naming: [pattern]) { _ = try ShardPattern(pattern) }
  }

  @Test(
    "The path of the index is derived from the pattern",
    arguments: [
      ("d/train-{0000..0009}.tar", "d/train.json"), ("d/cifar.tar.zst", "d/cifar.json"),
      ("d.e/x", "d.e/x.json"),
      ("d/{0..3}.tar", "d/shards.json"), ("{a,b}/{0..1}.tar", "shards.json"), ("a_{0..1}.tar.gz", "a.json"),
    ])
  func indexLiesBeside(_ pattern: String, _ path: String) throws {
    #expect(try ShardPattern(pattern).indexPath == path)
  }
}
