import OnePassCore
import OnePassData

/// Counts the examples taken from a stream, and stops a run with too many broken images.
struct StreamTally {
  /// The counts over all passes.
  struct Counts: Codable {
    /// Examples in mini-batches so far, broken ones included.
    var taken = 0
    /// Broken images, which were skipped.
    var skipped = 0
    /// The encoded size of the examples taken, in bytes.
    var bytes = 0
    /// The first few broken images, with the reasons.
    var firstSkipped: [SkippedExample] = []
    /// The number of images that are stored rotated, in all passes. `nil` in checkpoints of earlier versions.
    var rotated: Int?
  }

  var counts: Counts
  var taken: Int { counts.taken }
  var skipped: Int { counts.skipped }
  var bytes: Int { counts.bytes }
  var firstSkipped: [SkippedExample] { counts.firstSkipped }
  var rotated: Int { counts.rotated ?? 0 }

  private let brokenLimit: Double
  private let source: any ExampleSource

  /// The share of broken images is not tested on fewer examples.
  private static let smallestSample = 100

  init(brokenLimit: Double, source: any ExampleSource, counts: Counts = Counts()) {
    self.counts = counts
    self.brokenLimit = brokenLimit
    self.source = source
  }

  /// Counts a mini-batch.
  /// - Throws: `OnePassError` (`badData`) if too many images are broken.
  mutating func record(_ arrivals: [Arrival]) throws {
    let broken = arrivals.compactMap { arrival in
      arrival.problem.map { SkippedExample(id: arrival.id, reason: $0, bytes: arrival.bytes) }
    }
    counts.taken += arrivals.count
    counts.skipped += broken.count
    counts.rotated = rotated + arrivals.count { $0.isRotated }
    counts.bytes += arrivals.reduce(0) { $0 + $1.bytes }
    counts.firstSkipped += broken.prefix(max(0, 5 - firstSkipped.count))
    if taken >= Self.smallestSample { try requireMostlyWhole() }
  }

  /// Tests the share of broken images at the end of a stream of any length.
  /// - Throws: `OnePassError` (`badData`) if it is too large, or the stream was empty.
  func finish() throws {
    guard taken > 0 else {
      throw OnePassError.noExamples(in: source.specification)
    }
    try requireMostlyWhole()
    guard skipped < taken else { throw broken() }
  }

  private func requireMostlyWhole() throws {
    if Double(skipped) > brokenLimit * Double(taken) { throw broken() }
  }

  /// The location of a broken image and the reason.
  func describe(_ skipped: SkippedExample) -> String {
    "\(source.location(of: skipped.id) ?? "example \(skipped.id)"). \(skipped.reason)"
  }

  private func broken() -> OnePassError {
    .tooManyBrokenImages(
      skipped, of: taken, in: source.specification, limit: brokenLimit,
      first: firstSkipped.first.map(describe))
  }
}
