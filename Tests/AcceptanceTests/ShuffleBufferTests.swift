import Foundation
import TestSupport
import TestTraits
import Testing

/// A stream sorted by class, with and without a shuffle buffer.
@Suite("Streams sorted by class", .waitsForPrograms) struct SortedStreamTests {
  /// 1,100 images of four classes, one class after the other.
  let runs: RunFixture
  /// The same in a random order.
  let shuffled: String

  init() throws {
    let images = try RunFixture(StripedImages(count: 1_100))
    shuffled = try images.pack("shuffled.tar")
    let folder = images.folder
    try folder.write(sortedByClass(shard: try folder.bytes(of: "shuffled.tar")), to: "sorted.tar")
    runs = RunFixture(
      folder, data: "wds:\(folder.file("sorted.tar"))",
      options: ["--json", "--model", "resnet8", "--batch-size", "16", "--threads", "1"])
  }

  @Test("A sorted stream causes a warning, and a large shuffle buffer prevents it")
  func aSortedStreamCausesAWarning() throws {
    let sorted = try runs.train(nil, ["--method", "naive"])
    #expect(
      sorted.errors.contains("of its first 1,024 examples have the class of the previous one"),
      "\(sorted.errors)")
    #expect(sorted.errors.contains("pass --shuffle-buffer N"), "\(sorted.errors)")
    let small = try runs.train(nil, ["--method", "naive", "--shuffle-buffer", "20"])
    #expect(small.errors.contains("pass a larger --shuffle-buffer"), "\(small.errors)")
    let buffered = try runs.train(nil, ["--method", "naive", "--shuffle-buffer", "2000"])
    #expect(buffered.status == 0 && !buffered.errors.contains("sorted by class"), "\(buffered.errors)")
    let shuffled = try runs.train(nil, ["--method", "naive"], data: shuffled)
    #expect(!shuffled.errors.contains("sorted by class"), "\(shuffled.errors)")
  }

  /// The contents of the buffer count as storage, in addition to the memory.
  @Test("The shuffle buffer counts as storage")
  func theShuffleBufferCountsAsStorage() throws {
    let naive = try runs.train(nil, ["--method", "naive", "--shuffle-buffer", "50"]).json
    #expect(naive.number("storage.examples") == 50 && naive.number("storage.shuffleBuffer.examples") == 50)
    #expect(naive.number("storage.exampleFraction") == 50 / 1_100.0)
    let bytes = try #require(naive.number("storage.bytes"))
    #expect(bytes == naive.number("storage.shuffleBuffer.bytes") && bytes > 50 * 100)
    #expect(naive.number("stream.examples") == 1_100)
    let replay = try runs.train(
      nil, ["--limit", "320", "--replay-steps", "1", "--storage", "30", "--shuffle-buffer", "50"]
    ).json
    #expect(replay.number("storage.examples") == 80 && replay.number("memory.peakItems") == 30)
    #expect(
      replay.number("storage.bytes")
        == (replay.number("storage.shuffleBuffer.bytes") ?? 0) + (replay.number("memory.peakBytes") ?? 0))
    let plain = try runs.train(nil, ["--limit", "320", "--method", "naive"]).json
    #expect(
      plain.number("storage.examples") == 0 && (plain["storage"] as? [String: Any])?["shuffleBuffer"] == nil)
  }

  @Test("A shuffle buffer for a shuffled source is rejected")
  func aShuffleBufferOfAShuffledSourceIsRefused() throws {
    let random = try runs.attempt(nil, ["--shuffle-buffer", "50"], data: "idx:\(runs.folder.path)")
    #expect(random.status == 64 && random.errors.contains("is already in random order"), "\(random.errors)")
    let passes = try runs.attempt(nil, ["--method", "multi-epoch", "--shuffle-buffer", "50"])
    #expect(passes.status == 64 && passes.errors.contains("shuffles each pass"), "\(passes.errors)")
    let none = try runs.attempt(nil, ["--shuffle-buffer", "1"])
    #expect(none.status == 64 && none.errors.contains("--shuffle-buffer must be 2 "), "\(none.errors)")
  }
}
