import OnePassCore
import OnePassData

/// A whole stream in RAM, for multi-epoch training on a source without random access.
///
/// Its storage is 100 % of the stream by definition.
final class KeptStream: RandomAccessSource {
  let specification: String
  let classNames: [String]?
  let labelsFollowNames: Bool
  let report: SourceReport
  private let source: any ExampleSource
  private let examples: [Example]
  private(set) var position = 0

  /// Reads the source to its end, or to `limit` examples.
  /// - Parameter isStrict: Whether entries that are left out are an error.
  init(_ source: any ExampleSource, alreadyTaken: [Example], limit: Int, isStrict: Bool = false) throws {
    specification = source.specification
    (classNames, labelsFollowNames) = (source.classNames, source.labelsFollowNames)
    self.source = source
    var feed = StreamFeed(source, alreadyTaken: alreadyTaken, limit: limit, isStrict: isStrict, isKept: true)
    var examples: [Example] = []
    while case let more = try feed.next(4_096), !more.isEmpty { examples += more }
    self.examples = examples
    report = source.report
  }

  var count: Int { examples.count }
  var knownCount: Int? { examples.count }
  var knownClassCount: Int? { classNames?.count }

  func example(at id: Int) -> Example { examples[id] }

  func next() -> Example? {
    guard position < examples.count else { return nil }
    defer { position += 1 }
    return examples[position]
  }

  func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { source.visitListing(visit) }

  func restore(position: Int) { self.position = position }
}
