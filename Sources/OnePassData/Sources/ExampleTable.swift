import OnePassCore

/// Labelled images that lie in a fixed order and can be had one by one: files in folders, records in a file.
///
/// A new source of this kind is a type that conforms and one line in ``SourceRegistry``; ``ShuffledSource``
/// makes a stream of it.
public protocol ExampleTable {
  var count: Int { get }
  var classCount: Int { get }
  /// The names of the classes in label order, where the table has them.
  var classNames: [String]? { get }

  /// The class of the example in this row, `0 ..< count`.
  func label(at row: Int) -> Int

  /// The image in this row, `0 ..< count`.
  /// - Throws: `OnePassError` (`io`, `badData`) if it cannot be read.
  func image(at row: Int) throws -> EncodedImage

  /// The file of the example in this row, where each has one of its own.
  func path(at row: Int) -> String?
}

extension ExampleTable {
  public func path(at row: Int) -> String? { nil }
}

/// A table as a stream: all of its examples in one uniformly random order, fixed by the seed.
///
/// An example's id is its position in that order. The order costs 4 bytes an example.
///
/// ```swift
/// let stream = ShuffledSource(try FolderTable("photos"), specification: "folder:photos", seed: 1)
/// while let example = try stream.next() { print(example.id, example.label) }
/// ```
public final class ShuffledSource: RandomAccessSource {
  public let specification: String
  public let table: any ExampleTable
  private var place: StreamPlace
  private let order: [UInt32]
  private let subjectKey: SubjectKey?

  /// - Parameters:
  ///   - table: the examples.
  ///   - specification: what names the source again.
  ///   - seed: fixes the order.
  ///   - subjectKey: what in an example's path says whom it is about.
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

  public var count: Int { order.count }
  public var knownCount: Int? { order.count }
  public var classNames: [String]? { table.classNames }
  public var knownClassCount: Int? { table.classCount }

  /// - Precondition: `0 <= id < count`.
  public func example(at id: Int) throws -> Example {
    let row = Int(order[id])
    let subject = subjectKey.flatMap { key in table.path(at: row).flatMap(key.subject(inPath:)) }
    return Example(id: id, label: table.label(at: row), image: try table.image(at: row), subject: subject)
  }

  public func location(of id: Int) -> String? { table.path(at: Int(order[id])) }

  public var position: Int { place.position }
  public func next() throws -> Example? { try place.next(example(at:)) }
  public func skip(_ count: Int) -> Int { place.skip(count) }
  public func restore(position: Int) throws { try place.restore(to: position, of: specification) }
}
