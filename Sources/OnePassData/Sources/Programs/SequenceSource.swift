import OnePassCore

/// A stream of a program's own that delivers one example after the other: a sequence, a generator, a decoder of a format.
///
/// ```swift
/// let stream = SequenceSource("frames", camera.frames.lazy.map(\.labelled), count: 50_000, classCount: 2)
/// ```
///
/// A run that goes on takes the same stream again from its start, and holds what passes over against its ledger.
public final class SequenceSource: ExampleSource {
  public let specification: String
  public let knownCount: Int?
  public let classNames: [String]?
  public let knownClassCount: Int?
  public let readsAgainToRestore = true
  public private(set) var position = 0
  private var following: () throws -> LabelledImage?
  private var isAtEnd = false

  /// A stream of the elements of a sequence, which is gone through once.
  /// - Parameters:
  ///   - specification: What records and messages call it.
  ///   - sequence: The examples. Taken on the thread that reads the source.
  ///   - count: The number of examples, where it is known; else a run has to be told its `limit`.
  ///   - classNames: The names of the classes in label order, if they have names.
  ///   - classCount: The number of classes; that of the names if there are names.
  public convenience init(
    _ specification: String, _ sequence: some Sequence<LabelledImage>, count: Int? = nil,
    classNames: [String]? = nil, classCount: Int? = nil
  ) {
    var iterator = sequence.makeIterator()
    self.init(specification, count: count, classNames: classNames, classCount: classCount) { iterator.next() }
  }

  /// A stream of what a closure returns until it returns `nil`.
  /// - Parameters:
  ///   - specification: What records and messages call it.
  ///   - count: The number of examples, where it is known.
  ///   - classNames: The names of the classes in label order, if they have names.
  ///   - classCount: The number of classes; that of the names if there are names.
  ///   - next: The next example. Called on the thread that reads the source, never after it has returned `nil` or thrown. What it
  ///     throws ends the run, which can go on from its last checkpoint.
  public init(
    _ specification: String, count: Int? = nil, classNames: [String]? = nil, classCount: Int? = nil,
    next: @escaping () throws -> LabelledImage?
  ) {
    self.specification = specification
    knownCount = count
    self.classNames = classNames
    knownClassCount = agreedClassCount(classNames, classCount)
    following = next
  }

  public func next() throws -> Example? {
    guard !isAtEnd, position < knownCount ?? .max else { return nil }
    // Also when it throws.
    isAtEnd = true
    guard let labelled = try following() else { return nil }
    isAtEnd = false
    defer { position += 1 }
    return Example(id: position, labelled)
  }

  public func restore(position: Int) throws {
    try readAgain(self, upTo: position)
  }
}

/// Passes over what has passed before, of a stream that was begun anew.
/// - Throws: `OnePassError` (`badData`) if it ends before that.
func readAgain(_ source: some ExampleSource, upTo position: Int) throws {
  precondition(source.position == 0, "A source is restored before anything is taken from it.")
  let passed = try source.skip(position)
  guard passed == position else {
    throw OnePassError(
      .badData,
      "\(source.specification) ended after \(passed) examples and cannot go on at \(position). "
        + "Resume with the same data as before.")
  }
}
