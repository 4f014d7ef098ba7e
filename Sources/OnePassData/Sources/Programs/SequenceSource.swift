import OnePassCore

/// A custom stream without random access: a sequence, a generator, a decoder of a file format.
///
/// ```swift
/// let stream = SequenceSource("frames", camera.frames.lazy.map(\.labelled), count: 50_000, classCount: 2)
/// ```
///
/// A resumed run reads the same stream from the start, and compares the skipped examples with its ledger.
public final class SequenceSource: ExampleSource {
  /// The name for records and messages.
  public let specification: String
  /// The number of examples; `nil` if it is not known in advance.
  public let knownCount: Int?
  /// The names of the classes in label order; `nil` if they have none.
  public let classNames: [String]?
  /// The number of classes; `nil` if it is not known in advance.
  public let knownClassCount: Int?
  /// Always `true`: a run resumes by reading the stream from the start.
  public let readsAgainToRestore = true
  /// The number of examples delivered.
  public private(set) var position = 0
  private var following: () throws -> LabelledImage?
  private var isAtEnd = false

  /// Creates a stream of the elements of a sequence, which is iterated once.
  /// - Parameters:
  ///   - specification: The name for records and messages.
  ///   - sequence: The examples. Iterated on the thread that reads the source.
  ///   - count: The number of examples. If it is not known, a run needs a `limit`.
  ///   - classNames: The names of the classes in label order.
  ///   - classCount: The number of classes; by default the number of names.
  public convenience init(
    _ specification: String, _ sequence: some Sequence<LabelledImage>, count: Int? = nil,
    classNames: [String]? = nil, classCount: Int? = nil
  ) {
    var iterator = sequence.makeIterator()
    self.init(specification, count: count, classNames: classNames, classCount: classCount) { iterator.next() }
  }

  /// Creates a stream of what a closure returns, until it returns `nil`.
  /// - Parameters:
  ///   - specification: The name for records and messages.
  ///   - count: The number of examples. If it is not known, a run needs a `limit`.
  ///   - classNames: The names of the classes in label order.
  ///   - classCount: The number of classes; by default the number of names.
  ///   - next: Returns the next example. Called on the thread that reads the source, never after it returned `nil` or
  ///     threw. An error that it throws ends the run, which can resume from its last checkpoint.
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

  /// The next example; `nil` at the end, and after `knownCount` examples.
  /// - Throws: The errors of the closure.
  public func next() throws -> Example? {
    guard !isAtEnd, position < knownCount ?? .max else { return nil }
    // Set before the call, so that it also holds if the closure throws.
    isAtEnd = true
    guard let labelled = try following() else { return nil }
    isAtEnd = false
    defer { position += 1 }
    return Example(id: position, labelled)
  }

  /// Continues at a position by skipping all earlier examples.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter; the errors of the closure.
  public func restore(position: Int) throws {
    try readAgain(self, upTo: position)
  }
}

/// Skips all examples before a position of a fresh stream.
/// - Throws: `OnePassError` (`badData`) if the stream is shorter.
func readAgain(_ source: some ExampleSource, upTo position: Int) throws {
  precondition(source.position == 0, "A source must be restored before anything is read from it.")
  let passed = try source.skip(position)
  guard passed == position else {
    throw OnePassError.cannotResume(source.specification, at: position, of: passed)
  }
}
