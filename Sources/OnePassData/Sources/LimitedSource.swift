import OnePassCore

/// The first examples of a source, up to a limit.
///
/// ```swift
/// let start = LimitedSource.first(10_000, of: try SourceRegistry.open("fashion-mnist", seed: 1))
/// ```
public class LimitedSource: ExampleSource {
  /// The unlimited source.
  public let base: any ExampleSource
  /// The maximum number of examples delivered.
  public let limit: Int

  /// - Precondition: `limit >= 0`.
  fileprivate init(_ base: any ExampleSource, limit: Int) {
    precondition(limit >= 0, "The limit of a source must not be negative.")
    self.base = base
    self.limit = limit
  }

  /// Returns the first `limit` examples of `source`, with random access if `source` has it.
  /// - Precondition: `limit >= 0`.
  public static func first(_ limit: Int, of source: any ExampleSource) -> any ExampleSource {
    if let source = source as? any RandomAccessSource {
      return LimitedRandomAccessSource(source, limit: limit)
    }
    return LimitedSource(source, limit: limit)
  }

  /// The specification of the unlimited source.
  public var specification: String { base.specification }
  /// The names of the classes in label order; `nil` if they have none.
  public var classNames: [String]? { base.classNames }
  /// The number of classes; `nil` if it is not known in advance.
  public var knownClassCount: Int? { base.knownClassCount }
  /// The number of examples delivered or skipped.
  public var position: Int { base.position }
  /// Whether labels are positions among the sorted names.
  public var labelsFollowNames: Bool { base.labelsFollowNames }
  /// Visits the entries of the source behind this one.
  public func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { base.visitListing(visit) }
  /// Whether ``restore(position:)`` reads the stream from the start.
  public var readsAgainToRestore: Bool { base.readsAgainToRestore }

  /// What the unlimited source has left out and chosen so far.
  public var report: SourceReport { base.report }
  /// Whether the order of the unlimited source is a function of its seed; `nil` if it is unknown.
  public var orderDependsOnSeed: Bool? { base.orderDependsOnSeed }
  /// Restores the report of the unlimited source.
  public func restore(report: SourceReport) { base.restore(report: report) }

  /// The file of an example; `nil` if the source has none.
  public func location(of id: Int) -> String? { base.location(of: id) }

  /// The smaller of the limit and the source's count; `nil` if that count is not known in advance.
  public var knownCount: Int? { base.knownCount.map { min($0, limit) } }

  /// The next example; `nil` at the limit or at the end of the source.
  public func next() throws -> Example? {
    guard base.position < limit else { return nil }
    return try base.next()
  }

  /// Skips examples up to the limit; returns how many there were.
  public func skip(_ count: Int) throws -> Int { try base.skip(min(count, limit - base.position)) }

  /// Continues at a position.
  /// - Throws: `OnePassError` (`badData`) if it is beyond the limit or the end of the source.
  public func restore(position: Int) throws {
    try checkRestore(to: position, within: limit, of: "\(specification) (limited)")
    try base.restore(position: position)
  }
}

/// A ``LimitedSource`` with random access.
final class LimitedRandomAccessSource: LimitedSource, RandomAccessSource {
  private let table: any RandomAccessSource

  init(_ base: any RandomAccessSource, limit: Int) {
    table = base
    super.init(base, limit: limit)
  }

  var count: Int { min(limit, table.count) }

  func example(at id: Int) throws -> Example {
    precondition(id < count, "An example's id must be below the source's count.")
    return try table.example(at: id)
  }
}
