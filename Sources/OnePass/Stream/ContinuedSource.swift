import Foundation
import OnePassCore
import OnePassData

/// A place in the stream of a run after which another source was read (`--resume --continue`).
///
/// Examples that passed between the two were neither trained nor recorded.
///
/// ```swift
/// let result = try RunFiles.result(in: "runs/camera")
/// for gap in result.stream.gaps ?? [] { print(gap.position, gap.source) }
/// ```
public struct StreamGap: Codable, Hashable, Sendable {
  /// The position of the first example of the new source.
  public let position: Int
  /// The specification of the new source, without secrets.
  public let source: String
  /// The time at which it was opened, in ISO 8601.
  public let time: String

  init(position: Int, source: String, at time: Date = .now) {
    (self.position, self.source) = (position, source)
    self.time = time.formatted(.iso8601)
  }
}

/// The earlier parts of a stream that continued with another source.
struct Continuation: Codable {
  /// The gaps, in stream order, at least one.
  var gaps: [StreamGap]
  /// What the sources before the last gap left out and chose.
  var report: SourceReport
}

/// What comes next in a stream: examples that had been taken but not trained, then those of a new source.
///
/// Examples have their positions in the whole stream. It must be restored to the position at which the run resumes.
final class ContinuedSource: ExampleSource {
  private let base: any ExampleSource
  /// The position of the first example of `base`.
  let offset: Int
  /// Examples before `offset`, by position.
  private var kept: ArraySlice<Example>
  private let earlier: SourceReport
  private(set) var position = 0

  /// - Parameters:
  ///   - base: The new source, at its start.
  ///   - offset: The position of its first example.
  ///   - kept: Examples before it that were taken from an earlier source, in order.
  ///   - earlier: The report of the earlier sources.
  init(_ base: any ExampleSource, from offset: Int, kept: [Example], after earlier: SourceReport) {
    (self.base, self.offset, self.kept, self.earlier) = (base, offset, kept[...], earlier)
  }

  var specification: String { base.specification }
  var knownCount: Int? { base.knownCount.map { $0 + offset } }
  var classNames: [String]? { base.classNames }
  var knownClassCount: Int? { base.knownClassCount }
  var labelsFollowNames: Bool { base.labelsFollowNames }
  var readsAgainToRestore: Bool { base.readsAgainToRestore }
  func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { base.visitListing(visit) }
  var orderDependsOnSeed: Bool? { base.orderDependsOnSeed }
  func location(of id: Int) -> String? { id < offset ? nil : base.location(of: id - offset) }

  var report: SourceReport {
    var report = earlier
    report.add(base.report)
    return report
  }

  func restore(report: SourceReport) { base.restore(report: report.subtracting(earlier)) }

  func next() throws -> Example? {
    guard let example = try kept.popFirst() ?? base.next() else { return nil }
    defer { position += 1 }
    return example.with(id: position)
  }

  func restore(position: Int) throws {
    kept = kept.drop { $0.id < position }
    try base.restore(position: max(0, position - offset))
    self.position = position
  }

  /// The examples of an earlier source that have not been delivered yet.
  var undelivered: [Example] { Array(kept) }
}

/// Examples of a stream that cannot be read again, from their delivery until they are trained.
///
/// A checkpoint contains them, so that a run can continue with what comes next without losing them.
final class DeliveredExamples {
  private var examples: [Example] = []

  func note(_ delivered: Example) { examples.append(delivered) }

  /// Forgets the examples before a position.
  func settle(upTo position: Int) { examples.removeFirst(examples.prefix { $0.id < position }.count) }

  /// The examples in the form of a buffer's snapshot.
  /// - Parameters:
  ///   - source: The stream, which may have kept further ones.
  ///   - read: Examples that were read and not delivered.
  func snapshot(of source: any ExampleSource, _ read: [Example]) -> ShuffleBuffer.Snapshot {
    let position = examples.first?.id ?? source.position
    let rest = ((source as? ContinuedSource)?.undelivered ?? []) + read
    let further = rest.enumerated().map { index, example in
      example.with(id: position + examples.count + index)
    }
    return ShuffleBuffer.Snapshot(
      position: position, basePosition: source.position, held: [], unsettled: examples + further,
      peak: .init())
  }
}

extension ShuffleBuffer.Snapshot {
  /// The same with further examples, which were read from a stream that cannot be read again.
  func adding(_ read: [Example]) -> ShuffleBuffer.Snapshot {
    ShuffleBuffer.Snapshot(
      position: position, basePosition: basePosition, held: held + read, unsettled: unsettled, peak: peak)
  }

  /// The same examples, with the underlying stream at the start of another source.
  var withoutSource: ShuffleBuffer.Snapshot {
    ShuffleBuffer.Snapshot(position: position, basePosition: 0, held: held, unsettled: unsettled, peak: peak)
  }
}
