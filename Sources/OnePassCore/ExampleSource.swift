/// A stream of labelled images that is read in order.
///
/// A source is read by one thread. It holds a bounded part of the data at any time, so its memory does not grow with the
/// stream. An index of names or offsets may grow.
///
/// Multi-epoch training reshuffles a source that also provides random access; see ``RandomAccessSource``.
///
/// ```swift
/// func countByClass(_ source: any ExampleSource) throws -> [Int: Int] {
///   var counts: [Int: Int] = [:]
///   while let example = try source.next() { counts[example.label, default: 0] += 1 }
///   return counts
/// }
/// ```
public protocol ExampleSource: AnyObject {
  /// The command-line specification of this source, for example `folder:photos`.
  var specification: String { get }

  /// The number of examples in the stream; `nil` if it is unknown without reading the stream.
  var knownCount: Int? { get }

  /// The names of the classes in label order; `nil` if the source does not define them.
  var classNames: [String]? { get }

  /// The number of classes; `nil` if it is unknown. Equal to `classNames.count` if there are names.
  var knownClassCount: Int? { get }

  /// Whether a label is the position of the class among the sorted names of this source, and so has no meaning in other data.
  ///
  /// `false` if the data or the caller numbers the classes.
  var labelsFollowNames: Bool { get }

  /// Visits the entries of the source in a fixed order, as far as they are known without reading images.
  ///
  /// A resumed run takes sources with equal listings for the same data.
  /// - Returns: Whether the source has a listing.
  func visitListing(_ visit: (ListedEntry) -> Void) -> Bool

  /// Returns the next example, whose `id` is its position in the stream, or `nil` at the end.
  ///
  /// Every call after the end returns `nil`.
  /// - Throws: `OnePassError` (`badData`, `io`) if the stream itself is invalid or unreadable. An image that cannot be decoded
  ///   is delivered; the decoder reports it.
  func next() throws -> Example?

  /// Skips the next `count` examples, which another process trains on.
  ///
  /// A seekable source does not read their images.
  /// - Returns: The number of examples skipped; less than `count` only at the end of the stream.
  func skip(_ count: Int) throws -> Int

  /// The location of a delivered example as shown to users, such as a file path; `nil` if it is unknown.
  func location(of id: Int) -> String?

  /// Whether ``restore(position:)`` reads the skipped part of the stream again, as on standard input.
  ///
  /// That part can then be compared with what was read before.
  var readsAgainToRestore: Bool { get }

  /// The number of examples read or skipped so far.
  var position: Int { get }

  /// Moves a new source to `position`, so that the next example has this id.
  ///
  /// A seekable source seeks; any other reads and discards the examples before `position`.
  /// - Throws: `OnePassError` if the stream ends before `position`.
  func restore(position: Int) throws

  /// What the source has left out and chosen so far.
  ///
  /// It is complete at the start for a source that lists its examples in advance, and at the end for any other.
  var report: SourceReport { get }

  /// Whether the order of the examples is a function of the seed with which the source was opened; `nil` if it is unknown.
  ///
  /// It is recorded with a result, so that tables state what a seed changes. `false`: the order is the same for every seed,
  /// as that of shards.
  var orderDependsOnSeed: Bool? { get }

  /// Replaces the report after ``restore(position:)`` by the one that was saved at that position.
  ///
  /// A source whose report is complete at the start ignores it.
  func restore(report: SourceReport)
}

extension ExampleSource {
  public var labelsFollowNames: Bool { false }
  public func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { false }
  public func location(of id: Int) -> String? { nil }
  public var readsAgainToRestore: Bool { false }
  public var report: SourceReport { SourceReport() }
  public func restore(report: SourceReport) {}
  public var orderDependsOnSeed: Bool? { nil }

  public func skip(_ count: Int) throws -> Int {
    for skipped in 0..<count where try next() == nil { return skipped }
    return count
  }
}

/// A source that can deliver any of its examples at any time, which requires that it stores all the data.
///
/// ```swift
/// func lastExample(of source: any RandomAccessSource) throws -> Example {
///   try source.example(at: source.count - 1)
/// }
/// ```
public protocol RandomAccessSource: ExampleSource {
  /// The number of examples in the stream.
  var count: Int { get }

  /// Returns the example at position `id`, equal to the one that ``ExampleSource/next()`` delivers there.
  func example(at id: Int) throws -> Example

  /// Returns the label of the example at position `id`. A source that knows it reads no image.
  func label(at id: Int) throws -> Int
}

extension RandomAccessSource {
  public func label(at id: Int) throws -> Int { try example(at: id).label }
}
