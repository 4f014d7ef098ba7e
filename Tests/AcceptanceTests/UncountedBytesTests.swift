import TestSupport
import TestTraits
import Testing

/// Closed formulas for 200 grey images of 12 x 12 bytes, in mini-batches of 16.
@Suite("What the storage leaves out", .waitsForPrograms) struct UncountedBytesTests {
  private let runs: RunFixture
  private static let imageBytes = 144

  init() throws {
    runs = try RunFixture(StripedImages(count: 200), evaluation: StripedImages(count: 300, seed: 2))
  }

  private func uncounted(_ name: String, _ figure: String) throws -> Int? {
    try runs.result(name).number("storage.uncounted.\(figure)").map { Int($0) }
  }

  /// One mini-batch is trained while the next is decoded, and k replayed ones are in flight with them. An evaluation does not
  /// count.
  @Test(
    "Mini-batches in flight are counted encoded and decoded",
    arguments: [
      (["--method", "naive"], 0), (["--replay-steps", "3", "--storage", "50%"], 3),
      (["--replay-steps", "2", "--storage", "50%", "--eval-every", "4"], 2),
    ])
  func batches(options: [String], replays: Int) throws {
    try runs.train("run", options)
    // The pipeline has one channel; decoded pixels have one byte each on the CPU, or four.
    let element =
      try #require(try uncounted("run", "batchDecodedBytes")) / ((2 + replays) * 16 * Self.imageBytes)
    #expect(element == 4 || element == 1)
    #expect(
      try uncounted("run", "batchDecodedBytes") == (2 + replays) * 16 * Self.imageBytes * element)
    // Replayed images are lent by the memory.
    #expect(try uncounted("run", "batchEncodedBytes") == 2 * 16 * Self.imageBytes)
  }

  /// Chunks of glibc have a header of 8 bytes and multiples of 16 bytes, so that 144 bytes take 160. A chunk is larger by 16
  /// where the rest of a free chunk would be too small for another.
  @Test("The ledger and the allocator are counted")
  func ledgerAndAllocator() throws {
    let shards = try runs.pack("stream.tar")
    try runs.train("run", ["--replay-steps", "1", "--storage", "100", "--subject-key", "stem"], data: shards)
    #expect(try uncounted("run", "ledgerBytes") == 200 * (16 + 8))
    try runs.train("plain", ["--replay-steps", "1", "--storage", "100"])
    #expect(try uncounted("plain", "ledgerBytes") == 200 * 16)
    #expect(try uncounted("plain", "ledgerBytes") == runs.folder.bytes(of: "plain/ledger").count)
    let allocator = try #require(try uncounted("plain", "allocatorBytes"))
    #if canImport(Glibc)
      #expect(allocator >= 100 * 16 && allocator % 16 == 0 && allocator < 100 * 32, "\(allocator)")
    #endif
    try runs.train("disk", ["--replay-steps", "1", "--storage", "100", "--memory-directory", "@memory"])
    #expect(try uncounted("disk", "allocatorBytes") == nil)
    try runs.train("epochs", ["--method", "multi-epoch", "--epochs", "2"])
    #expect(try uncounted("epochs", "allocatorBytes") == nil && uncounted("epochs", "ledgerBytes") == nil)
  }
}
