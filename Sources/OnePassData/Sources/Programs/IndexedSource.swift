import OnePassCore

/// A custom stream with random access: an array, a table, generated images.
///
/// ```swift
/// let stream = IndexedSource("digits", count: digits.count, classCount: 10) { digits[$0] }
/// ```
///
/// The stream is in the order of the positions. Shuffle the data first if neighbours are alike.
public final class IndexedSource: RandomAccessSource {
  /// The name for records and messages.
  public let specification: String
  /// The number of examples.
  public let count: Int
  /// The names of the classes in label order; `nil` if they have none.
  public let classNames: [String]?
  /// The number of classes; `nil` if it is not known in advance.
  public let knownClassCount: Int?
  private var place: StreamPlace
  private let example: (Int) throws -> LabelledImage

  /// Creates a stream of what a closure returns for each position.
  /// - Parameters:
  ///   - specification: The name for records and messages.
  ///   - count: The number of examples.
  ///   - classNames: The names of the classes in label order.
  ///   - classCount: The number of classes; by default the number of names.
  ///   - example: Returns the example at a position, `0 ..< count`, and the same example on every call. Called on the
  ///     thread that reads the source. An error that it throws ends the run.
  /// - Precondition: `count >= 0`, and `classCount` is the number of names if both are given.
  public init(
    _ specification: String, count: Int, classNames: [String]? = nil, classCount: Int? = nil,
    example: @escaping (_ position: Int) throws -> LabelledImage
  ) {
    precondition(count >= 0, "The number of examples must not be negative.")
    self.specification = specification
    self.count = count
    self.classNames = classNames
    knownClassCount = agreedClassCount(classNames, classCount)
    self.example = example
    place = StreamPlace(count: count)
  }

  /// The number of examples, which is always known.
  public var knownCount: Int? { count }

  /// The example at this position.
  /// - Throws: The errors of the closure.
  /// - Precondition: `0 <= id < count`.
  public func example(at id: Int) throws -> Example {
    precondition(id >= 0 && id < count, "Position \(id) is outside the stream of \(count) examples.")
    return Example(id: id, try example(id))
  }

  /// The number of examples delivered or skipped.
  public var position: Int { place.position }
  /// The next example; `nil` at the end.
  public func next() throws -> Example? { try place.next(example(at:)) }
  /// Skips examples without requesting them; returns how many there were.
  public func skip(_ count: Int) -> Int { place.skip(count) }
  /// Continues at a position without requesting earlier examples.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter.
  public func restore(position: Int) throws { try place.restore(to: position, of: specification) }
}

/// The number of classes, from the names or the given number.
func agreedClassCount(_ names: [String]?, _ count: Int?) -> Int? {
  precondition(
    names == nil || count == nil || names?.count == count,
    "The number of class names must equal the number of classes.")
  return names?.count ?? count
}
