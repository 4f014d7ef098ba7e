import OnePassCore

/// A source with random access in the order, and with the labels, of a ``StreamShape``.
///
/// ```swift
/// let photos = ShuffledSource(try FolderTable("photos"), specification: "folder:photos", seed: 1)
/// let stream = try ShapedSource(photos, StreamShape("by-class:5"), seed: 1)
/// ```
public final class ShapedSource: RandomAccessSource {
  private let base: any RandomAccessSource
  /// The shape of the stream.
  public let shape: StreamShape
  /// The classes of each group, in the order of the stream; empty for shapes without groups.
  public let groups: [[Int]]
  /// For each group, the number of examples of it and of those before it.
  public let groupEnds: [Int]
  private let rows: [UInt32]
  private let seed: UInt64
  private let classes: Int
  private var place: StreamPlace

  /// Reads the labels of all examples.
  /// - Parameters:
  ///   - base: The examples, whose own order has no effect.
  ///   - shape: The shape.
  ///   - seed: The seed of the order and of the noise.
  ///   - limit: The maximum number of examples of the source; the shape is that of these.
  /// - Throws: `OnePassError`: `usage` if the data has fewer classes than the shape needs; errors of the source.
  public init(_ base: any RandomAccessSource, _ shape: StreamShape, seed: UInt64, limit: Int = .max) throws {
    (self.base, self.shape, self.seed) = (base, shape, seed)
    let labels = try (0..<min(base.count, limit)).map { Int32(try base.label(at: $0)) }
    let classes = base.knownClassCount ?? Int(labels.max() ?? 0) + 1
    self.classes = classes
    if let wrong = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
      throw OnePassError.labelIsOutOfRange(
        Int(labels[wrong]), example: wrong, in: base.specification, classCount: classes)
    }
    if case .labelNoise = shape, classes < 2 {
      throw OnePassError.moreGroupsThanClasses(shape, classes: classes)
    }
    let order = try ShapedOrder(shape, labels: labels, classes: classes, seed: seed)
    (rows, groups) = (order.rows, order.groups)
    let counts = labels.reduce(into: [Int](repeating: 0, count: classes)) { $0[Int($1)] += 1 }
    var end = 0
    groupEnds = order.groups.map { group in
      end += group.reduce(0) { $0 + counts[$1] }
      return end
    }
    place = StreamPlace(count: order.rows.count)
  }

  /// The specification of the data; the shape is an option of its own.
  public var specification: String { base.specification }
  /// The number of examples.
  public var count: Int { rows.count }
  /// The number of examples, which is always known.
  public var knownCount: Int? { rows.count }
  /// The names of the classes in label order; `nil` if they have none.
  public var classNames: [String]? { base.classNames }
  /// The number of classes; `nil` if it is not known in advance.
  public var knownClassCount: Int? { base.knownClassCount }
  /// Whether labels are positions among the sorted names.
  public var labelsFollowNames: Bool { base.labelsFollowNames }
  /// Visits the entries of the source.
  public func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { base.visitListing(visit) }
  /// What the source has left out and chosen.
  public var report: SourceReport { base.report }
  /// Always `true`.
  public var orderDependsOnSeed: Bool? { true }
  /// The file of an example; `nil` if examples are not in separate files.
  public func location(of id: Int) -> String? { base.location(of: Int(rows[id])) }

  /// The example at this position of the stream.
  /// - Throws: Errors of the source.
  /// - Precondition: `0 <= id < count`.
  public func example(at id: Int) throws -> Example {
    let example = try base.example(at: Int(rows[id]))
    return Example(
      id: id, label: label(example.label, at: id), image: example.image, subject: example.subject,
      className: example.className)
  }

  /// The label at this position of the stream, with its noise.
  /// - Throws: Errors of the source.
  public func label(at id: Int) throws -> Int { label(try base.label(at: Int(rows[id])), at: id) }

  /// A label after the noise: a function of the seed and the position.
  private func label(_ label: Int, at id: Int) -> Int {
    guard case .labelNoise(let share) = shape else { return label }
    var generator = SeededGenerator(seed: seed, .streamShape, id, 1)
    guard generator.nextUnit() < share else { return label }
    return (label + 1 + generator.next(below: classes - 1)) % classes
  }

  /// The number of examples delivered or skipped.
  public var position: Int { place.position }
  /// The next example; `nil` at the end.
  public func next() throws -> Example? { try place.next(example(at:)) }
  /// Skips examples without reading them; returns how many there were.
  public func skip(_ count: Int) -> Int { place.skip(count) }
  /// Continues at a position.
  /// - Throws: `OnePassError` (`badData`) if the stream is shorter.
  public func restore(position: Int) throws { try place.restore(to: position, of: specification) }
}
