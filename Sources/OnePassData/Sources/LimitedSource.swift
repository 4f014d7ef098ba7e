import OnePassCore

/// The first examples of a source, as many as it has up to a limit.
///
/// ```swift
/// let start = LimitedSource.first(10_000, of: try SourceRegistry.open("fashion-mnist", seed: 1))
/// ```
public class LimitedSource: ExampleSource {
  public let base: any ExampleSource
  /// The largest number of examples delivered.
  public let limit: Int

  /// - Precondition: `limit >= 0`.
  fileprivate init(_ base: any ExampleSource, limit: Int) {
    precondition(limit >= 0, "A source is limited to a number of examples that is not negative.")
    self.base = base
    self.limit = limit
  }

  /// The first `limit` examples of `source`; they can be had in any order if `source` allows it.
  /// - Precondition: `limit >= 0`.
  public static func first(_ limit: Int, of source: any ExampleSource) -> any ExampleSource {
    if let source = source as? any RandomAccessSource {
      return LimitedRandomAccessSource(source, limit: limit)
    }
    return LimitedSource(source, limit: limit)
  }

  public var specification: String { base.specification }
  public var classNames: [String]? { base.classNames }
  public var knownClassCount: Int? { base.knownClassCount }
  public var position: Int { base.position }
  public var readsAgainToRestore: Bool { base.readsAgainToRestore }

  public func location(of id: Int) -> String? { base.location(of: id) }

  /// The smaller of the limit and the source's count; `nil` where that is not known, as it may be smaller.
  public var knownCount: Int? { base.knownCount.map { min($0, limit) } }

  public func next() throws -> Example? {
    guard base.position < limit else { return nil }
    return try base.next()
  }

  public func skip(_ count: Int) throws -> Int { try base.skip(min(count, limit - base.position)) }

  public func restore(position: Int) throws {
    try checkRestore(to: position, within: limit, of: "The limited \(specification)")
    try base.restore(position: position)
  }
}

/// ``LimitedSource`` of a source with random access.
final class LimitedRandomAccessSource: LimitedSource, RandomAccessSource {
  private let table: any RandomAccessSource

  init(_ base: any RandomAccessSource, limit: Int) {
    table = base
    super.init(base, limit: limit)
  }

  var count: Int { min(limit, table.count) }

  func example(at id: Int) throws -> Example {
    precondition(id < count, "An example's id lies below the source's count.")
    return try table.example(at: id)
  }
}
