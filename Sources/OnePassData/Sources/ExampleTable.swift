import OnePassCore

/// Labelled images with random access: files in folders, records in a file.
///
/// ``ShuffledSource`` turns a table into a stream. A table that a specification can name needs a line in
/// ``SourceRegistry``.
///
/// ```swift
/// struct Digits: ExampleTable {
///   let digits: [LabelledImage]
///   var count: Int { digits.count }
///   let classCount = 10
///   let classNames: [String]? = nil
///   func label(at row: Int) -> Int { digits[row].label }
///   func image(at row: Int) -> EncodedImage { digits[row].image }
/// }
/// ```
public protocol ExampleTable {
  /// The number of examples.
  var count: Int { get }
  /// The number of classes.
  var classCount: Int { get }
  /// The names of the classes in label order; `nil` if they have none.
  var classNames: [String]? { get }

  /// The class of the example in this row, `0 ..< count`.
  func label(at row: Int) -> Int

  /// The image in this row, `0 ..< count`.
  /// - Throws: `OnePassError` (`io`, `badData`) if it cannot be read.
  func image(at row: Int) throws -> EncodedImage

  /// The file of the example in this row; `nil` if examples are not in separate files.
  func path(at row: Int) -> String?

  /// What was left out and chosen when the examples were listed.
  var report: SourceReport { get }

  /// Whether a label is the position of the class among the sorted names; see `labelsFollowNames` of `ExampleSource`.
  var labelsFollowNames: Bool { get }

  /// The name, label and size of the example in this row, as far as they are known without reading the image.
  func listed(at row: Int) -> ListedEntry
}

extension ExampleTable {
  /// The default: examples are not in separate files.
  public func path(at row: Int) -> String? { nil }
  /// The default: nothing was left out or chosen.
  public var report: SourceReport { SourceReport() }
  /// The default: the data numbers its classes.
  public var labelsFollowNames: Bool { false }
  /// The default: the label alone.
  public func listed(at row: Int) -> ListedEntry { ListedEntry(name: [], label: label(at: row)) }
}

/// A stream of all examples of a table, in a uniformly random order that the seed fixes.
///
/// An example's id is its position in that order. The order takes 4 bytes per example.
///
/// ```swift
/// let stream = ShuffledSource(try FolderTable("photos"), specification: "folder:photos", seed: 1)
/// while let example = try stream.next() { print(example.id, example.label) }
/// ```
public final class ShuffledSource: RandomAccessSource {
  /// The specification that opens this source again.
  public let specification: String
  /// The examples in their original order.
  public let table: any ExampleTable
  private var place: StreamPlace
  private let order: [UInt32]
  private let subjectKey: SubjectKey?

  /// Creates a stream of a table.
  /// - Parameters:
  ///   - table: The examples.
  ///   - specification: The specification for records and messages.
  ///   - seed: The seed of the order.
  ///   - subjectKey: The part of an example's path that names its subject.
  public init(
    _ table: any ExampleTable, specification: String, seed: UInt64, subjectKey: SubjectKey? = nil
  ) {
    self.table = table
    self.subjectKey = subjectKey
    self.specification = specification
    var generator = SeededGenerator(seed: seed, .streamOrder)
    order = randomOrder(of: table.count, using: &generator)
    place = StreamPlace(count: order.count)
  }

  /// The number of examples.
  public var count: Int { order.count }
  /// The number of examples, which is always known.
  public var knownCount: Int? { order.count }
  /// The names of the classes in label order; `nil` if they have none.
  public var classNames: [String]? { table.classNames }
  /// The number of classes, which is always known.
  public var knownClassCount: Int? { table.classCount }

  /// The example at this position of the order.
  /// - Throws: `OnePassError` (`io`, `badData`) if its image cannot be read.
  /// - Precondition: `0 <= id < count`.
  public func example(at id: Int) throws -> Example {
    let row = Int(order[id])
    let subject = subjectKey.flatMap { key in table.path(at: row).flatMap(key.subject(inPath:)) }
    return Example(id: id, label: table.label(at: row), image: try table.image(at: row), subject: subject)
  }

  /// The label of the example at this position.
  public func label(at id: Int) -> Int { table.label(at: Int(order[id])) }

  /// Whether labels are positions among the sorted names of the table.
  public var labelsFollowNames: Bool { table.labelsFollowNames }

  /// Visits all examples in the order of the table.
  public func visitListing(_ visit: (ListedEntry) -> Void) -> Bool {
    for row in 0..<table.count { visit(table.listed(at: row)) }
    return true
  }

  /// What the table has left out and chosen.
  public var report: SourceReport { table.report }
  /// Always `true`.
  public var orderDependsOnSeed: Bool? { true }

  /// The file of an example; `nil` if examples are not in separate files.
  public func location(of id: Int) -> String? { table.path(at: Int(order[id])) }

  /// The number of examples delivered or skipped.
  public var position: Int { place.position }
  /// The next example; `nil` at the end.
  public func next() throws -> Example? { try place.next(example(at:)) }
  /// Skips examples without reading them; returns how many there were.
  public func skip(_ count: Int) -> Int { place.skip(count) }
  /// Continues at a position without reading earlier examples.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter.
  public func restore(position: Int) throws { try place.restore(to: position, of: specification) }
}
