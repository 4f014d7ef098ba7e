import Foundation
import OnePassCore
import OnePassData
import Testing

@Suite("Broken shards") struct BrokenShardTests {
  /// Reads until the error, and checks the examples before it.
  private func expectBroken(_ bytes: [UInt8], in folder: TemporaryFolder, _ what: String) throws {
    let path = try folder.write("broken.tar", bytes)
    let source = try WebDatasetSource(path)
    var taken: [Example] = []
    do {
      while let example = try source.next() { taken.append(example) }
      Issue.record("\(what): read \(taken.count) examples and no error")
    } catch let error as OnePassError {
      #expect(error.code == .badData, "\(what): \(error)")
      #expect(error.message.hasPrefix("\(path): "), "\(what): \(error)")
      #expect(error.message.contains("after \(taken.count) example"), "\(what): \(error)")
    }
    for example in taken {
      #expect(
        String(decoding: example.image.bytes, as: UTF8.self).hasPrefix("image \(example.id)"), "\(what)")
    }
  }

  @Test("Truncation of a shard is always detected")
  func truncationIsDetected() throws {
    let folder = try TemporaryFolder()
    let whole = tarBytes(tarSamples(6))
    var generator = SeededGenerator(seed: 1, .test)
    let cuts =
      Array(stride(from: 0, to: whole.count - 512, by: 512))
      + (0..<200).map { _ in generator.next(below: whole.count - 512) }
    for cut in cuts { try expectBroken(Array(whole.prefix(cut)), in: folder, "cut at \(cut)") }
    #expect(try takeAll(WebDatasetSource(folder.write("a.tar", whole))).count == 6)
    #expect(try takeAll(WebDatasetSource(folder.write("a.tar", Array(whole.dropLast(512))))).count == 6)
  }

  /// The image is larger than several read buffers.
  @Test("Truncation inside a large image is detected")
  func truncationInsideALargeImageIsFound() throws {
    let folder = try TemporaryFolder()
    let image = Array("image 6".utf8) + [UInt8](repeating: 1, count: 1_000_000)
    let whole = tarBytes(tarSamples(6) + [("6.jpg", image), ("6.cls", [49])])
    for cut in stride(from: 12_800, to: whole.count - 2048, by: 98_304) {
      let path = try folder.write("broken.tar", Array(whole.prefix(cut)))
      try expectBroken(Array(whole.prefix(cut)), in: folder, "cut at \(cut)")
      expectError(.badData, naming: ["broken.tar"]) { _ = try WebDatasetSource(path).survey() }
    }
  }

  @Test("Truncation of a compressed shard is detected", arguments: ["gnu.tar.gz", "pax.tar.zst"])
  func compressedTruncationIsFound(_ shard: String) throws {
    let folder = try TemporaryFolder()
    let fixture = try #require(Bundle.module.path(forResource: "Fixtures/shards/\(shard)", ofType: nil))
    let whole = try contents(of: fixture)
    for cut in stride(from: whole.count - 9, through: 0, by: -5) {
      let path = try folder.write("cut.tar", Array(whole.prefix(cut)))
      expectError(.badData, naming: ["cut.tar: truncated or corrupt after "]) {
        _ = try takeAll(WebDatasetSource(path))
      }
    }
  }

  @Test("Damaged headers are detected")
  func damagedHeadersAreFound() throws {
    let folder = try TemporaryFolder()
    let whole = tarBytes(tarSamples(6))
    var generator = SeededGenerator(seed: 2, .test)
    for _ in 0..<300 {
      let entry = generator.next(below: 12)
      let offset = generator.next(below: 512)
      var damaged = whole
      damaged[entry * 1024 + offset] ^= UInt8(1 + generator.next(below: 255))
      // The checksum field is text in which a space and a zero mean the same.
      if (148..<156).contains(offset) { continue }
      try expectBroken(damaged, in: folder, "byte \(offset) of header \(entry)")
    }
  }

  @Test("Zeros in the middle are not the end")
  func zerosInTheMiddleAreNotTheEnd() throws {
    let folder = try TemporaryFolder()
    var bytes = tarBytes(tarSamples(6))
    bytes.replaceSubrange(4096..<4608, with: [UInt8](repeating: 0, count: 512))
    try expectBroken(bytes, in: folder, "a header of zeros")
    bytes.replaceSubrange(4096..<6144, with: [UInt8](repeating: 0, count: 2048))
    try expectBroken(bytes, in: folder, "a sample of zeros")
  }

  @Test("Random bytes are refused")
  func randomBytesAreRefused() throws {
    let folder = try TemporaryFolder()
    for seed in 0..<50 {
      var generator = SeededGenerator(seed: UInt64(seed), .test)
      let count = generator.next(below: 5000)
      try expectBroken(
        (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }, in: folder, "seed \(seed)")
    }
  }

  @Test("Huge entries are refused before memory is allocated")
  func hugeEntriesAreRefused() throws {
    let folder = try TemporaryFolder()
    var bytes = tarBytes([("0.jpg", [])])
    bytes.replaceSubrange(124..<135, with: Array("77777777777".utf8))
    bytes.replaceSubrange(148..<156, with: Array("        ".utf8))
    let sum = String(bytes[..<512].reduce(0) { $0 + Int($1) }, radix: 8)
    bytes.replaceSubrange(
      148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum + "\0 ").utf8))
    let path = try folder.write("huge.tar", bytes)
    expectError(.badData, naming: ["huge.tar", "8589934591 bytes"]) {
      _ = try takeAll(WebDatasetSource(path))
    }
  }
}
