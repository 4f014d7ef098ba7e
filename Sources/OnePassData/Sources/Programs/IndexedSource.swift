import OnePassCore

/// A stream of a program's own whose examples can be had in any order: an array, a table, images that are made.
///
/// ```swift
/// let stream = IndexedSource("digits", count: digits.count, classCount: 10) { digits[$0] }
/// ```
///
/// The stream is in the order of the positions: shuffle before, where neighbours are alike.
public final class IndexedSource: RandomAccessSource {
  public let specification: String
  public let count: Int
  public let classNames: [String]?
  public let knownClassCount: Int?
  private var place: StreamPlace
  private let example: (Int) throws -> LabelledImage

  /// - Parameters:
  ///   - specification: What records and messages call it.
  ///   - count: The number of examples.
  ///   - classNames: The names of the classes in label order, if they have names.
  ///   - classCount: The number of classes; that of the names if there are names.
  ///   - example: The example at a position, `0 ..< count`: the same one whenever it is asked for. Called on the thread
  ///     that reads the source. What it throws ends the run.
  /// - Precondition: `count >= 0`, and the names are as many as the classes where both are given.
  public init(
    _ specification: String, count: Int, classNames: [String]? = nil, classCount: Int? = nil,
    example: @escaping (_ position: Int) throws -> LabelledImage
  ) {
    precondition(count >= 0, "A stream has no negative number of examples.")
    self.specification = specification
    self.count = count
    self.classNames = classNames
    knownClassCount = agreedClassCount(classNames, classCount)
    self.example = example
    place = StreamPlace(count: count)
  }

  public var knownCount: Int? { count }

  /// - Precondition: `0 <= id < count`.
  public func example(at id: Int) throws -> Example {
    precondition(id >= 0 && id < count, "A stream of \(count) examples has none at \(id).")
    return Example(id: id, try example(id))
  }

  public var position: Int { place.position }
  public func next() throws -> Example? { try place.next(example(at:)) }
  public func skip(_ count: Int) -> Int { place.skip(count) }
  public func restore(position: Int) throws { try place.restore(to: position, of: specification) }
}

/// The number of classes where a program gives names, a number, both or neither.
func agreedClassCount(_ names: [String]?, _ count: Int?) -> Int? {
  precondition(names == nil || count == nil || names?.count == count, "There is a name for each class.")
  return names?.count ?? count
}
