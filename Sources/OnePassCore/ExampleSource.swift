/// A stream of labelled images, taken one after the other.
///
/// A source is read by one thread. It holds no more than a fixed amount of the data at any time, so its
/// memory does not grow with the stream (a table of names or of positions may).
///
/// Random access, where a source has it, is what multi-epoch training reshuffles; see ``RandomAccessSource``.
public protocol ExampleSource: AnyObject {
  /// The specification that names this source again, as on the command line: `folder:photos`.
  var specification: String { get }

  /// The number of examples in the whole stream, where it is known without reading the stream.
  var knownCount: Int? { get }

  /// The names of the classes in label order, where the source defines them.
  var classNames: [String]? { get }

  /// The number of classes, where the source knows it; `classNames.count` where there are names.
  var knownClassCount: Int? { get }

  /// The next example, with `id` = its position in the stream, or `nil` at the end.
  ///
  /// After `nil` it returns `nil` for ever.
  /// - Throws: `OnePassError` (`badData`, `io`) when the stream itself is broken. A broken image is not
  ///   noticed here: it is delivered, and the decoder finds it.
  func next() throws -> Example?

  /// Passes over the next `count` examples, which are another's.
  ///
  /// A source that can seek reads none of their images.
  /// - Returns: How many there were, `count` unless the stream has ended.
  func skip(_ count: Int) throws -> Int

  /// Where an example that was delivered lies, as a person would look for it: the path of a file.
  /// `nil` where a source cannot tell.
  func location(of id: Int) -> String?

  /// Whether ``restore(position:)`` has to read what has passed, as on standard input. It can then be compared with what
  /// passed before.
  var readsAgainToRestore: Bool { get }

  /// Where the stream stands: the number of examples taken so far.
  var position: Int { get }

  /// Goes on at `position` of a fresh source, so that the next example has this id.
  ///
  /// A source that can seek does so; another reads and drops what has passed.
  /// - Throws: `OnePassError` if the stream ends before `position`.
  func restore(position: Int) throws
}

extension ExampleSource {
  public func location(of id: Int) -> String? { nil }
  public var readsAgainToRestore: Bool { false }

  public func skip(_ count: Int) throws -> Int {
    for skipped in 0..<count where try next() == nil { return skipped }
    return count
  }
}

/// A source that can deliver any of its examples at any time, and so keeps "all the data" itself.
public protocol RandomAccessSource: ExampleSource {
  var count: Int { get }

  /// The example with this id, the same as `next()` delivered or will deliver at that position.
  func example(at id: Int) throws -> Example
}
