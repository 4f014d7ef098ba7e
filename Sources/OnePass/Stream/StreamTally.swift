import OnePassCore
import OnePassData

/// Counts what was taken from the stream, and stops a stream that is mostly broken.
struct StreamTally {
  /// What is counted.
  struct Counts: Codable {
    /// Examples whose turn has come, broken ones included; each pass counts.
    var taken = 0
    /// Broken images that were left out; each pass counts.
    var skipped = 0
    var bytes = 0
    /// What was wrong with the first few broken images.
    var firstSkipped: [SkippedExample] = []
  }

  var counts: Counts
  var taken: Int { counts.taken }
  var skipped: Int { counts.skipped }
  var bytes: Int { counts.bytes }
  var firstSkipped: [SkippedExample] { counts.firstSkipped }

  private let brokenLimit: Double
  private let source: any ExampleSource

  /// Before this many examples a few broken ones say nothing about the stream.
  private static let smallestSample = 100

  init(brokenLimit: Double, source: any ExampleSource, counts: Counts = Counts()) {
    self.counts = counts
    self.brokenLimit = brokenLimit
    self.source = source
  }

  /// Counts a mini-batch whose turn has come.
  mutating func record(_ arrivals: [Arrival]) throws {
    let broken = arrivals.compactMap { arrival in
      arrival.problem.map { SkippedExample(id: arrival.id, reason: $0, bytes: arrival.bytes) }
    }
    counts.taken += arrivals.count
    counts.skipped += broken.count
    counts.bytes += arrivals.reduce(0) { $0 + $1.bytes }
    counts.firstSkipped += broken.prefix(max(0, 5 - firstSkipped.count))
    if taken >= Self.smallestSample { try requireMostlyWhole() }
  }

  /// Called at the end of the stream, however short it was.
  func finish() throws {
    guard taken > 0 else {
      throw OnePassError(.badData, "\(source.specification) holds no examples: give a source that does.")
    }
    try requireMostlyWhole()
    guard skipped < taken else { throw broken() }
  }

  private func requireMostlyWhole() throws {
    if Double(skipped) > brokenLimit * Double(taken) { throw broken() }
  }

  /// Where a broken image lies and what is wrong with it.
  func describe(_ skipped: SkippedExample) -> String {
    "\(source.location(of: skipped.id) ?? "example \(skipped.id)"). \(skipped.reason)"
  }

  private func broken() -> OnePassError {
    let first = firstSkipped.first.map { " The first is \(describe($0))" } ?? ""
    return OnePassError(
      .badData,
      "\(skipped) of the first \(taken) images of \(source.specification) are broken, more than the share of \(brokenLimit) that "
        + "--broken-limit allows.\(first)")
  }
}
