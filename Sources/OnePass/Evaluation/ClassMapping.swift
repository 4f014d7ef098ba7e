import OnePassCore
import OnePassData

/// The labels of a model for the classes of other data: one rule for the identity of classes.
///
/// - If both have names, a class is the one of its name.
/// - If one has names that are numbers and the other has numbers, a class is the one of its number.
/// - If the data numbers its classes, its numbers are the labels.
/// - Otherwise there is no relation: the position of a name among sorted names has no meaning in other data.
struct ClassMapping: Equatable {
  /// The label in the model of each label in the data.
  let labels: [Int: Int]
  /// What the classes have in common, for the report.
  let taken: String

  /// - Parameters:
  ///   - source: The data.
  ///   - classes: The number of classes of the model.
  ///   - names: The class names of the model in label order, if it has any.
  /// - Returns: `nil` if the labels of the data are those of the model.
  /// - Throws: `OnePassError` (`badData`) if a class of the data is not one of the model's, or they have nothing in common.
  init?(of source: any ExampleSource, classes: Int, names: [String]?) throws {
    switch (source.classNames, names) {
    case (let found?, let names?):
      guard found != names else { return nil }
      try self.init(found, in: source, asNamesIn: names)
    case (let found?, nil):
      guard source.labelsFollowNames else { return nil }
      try self.init(found, in: source, asLabelsBelow: classes)
    case (nil, let names?):
      let numbers = names.compactMap(Self.number)
      guard numbers.count == names.count, numbers != Array(numbers.indices) else { return nil }
      self.init(numbers.indices.map { (numbers[$0], $0) }, by: "the numbers that name the model's classes")
    case (nil, nil): return nil
    }
  }

  private init(_ found: [String], in source: any ExampleSource, asNamesIn names: [String]) throws {
    let byName = Dictionary(zip(names, names.indices)) { first, _ in first }
    let labels = try found.indices.map { label in
      guard let ours = byName[found[label]] else {
        throw OnePassError.classUnknownToModel(found[label], in: source.specification, known: names)
      }
      return (label, ours)
    }
    self.init(labels, by: "the names of the model's classes")
  }

  private init?(_ found: [String], in source: any ExampleSource, asLabelsBelow classes: Int) throws {
    let numbers = found.compactMap(Self.number)
    guard numbers.count == found.count else {
      throw OnePassError.classNamesWithoutNumbers(found, in: source.specification)
    }
    guard numbers != Array(found.indices) else { return nil }
    guard numbers.allSatisfy({ $0 < classes }) else {
      throw OnePassError.classNumbersAreNotLabels(numbers, of: classes, in: source.specification)
    }
    self.init(found.indices.map { ($0, numbers[$0]) }, by: "the numbers that name the classes")
  }

  private init(_ labels: [(Int, Int)], by taken: String) {
    (self.labels, self.taken) = (Dictionary(labels) { first, _ in first }, taken)
  }

  private static func number(_ name: String) -> Int? {
    name.utf8.allSatisfy { (48...57).contains($0) } ? Int(name) : nil
  }

  /// The source itself, or with the labels of the model.
  /// - Throws: `OnePassError` (`badData`) if a class of the data is not one of the model's, or they have nothing in common.
  static func applied(
    to source: any ExampleSource, classes: Int, names: [String]?
  ) throws -> any ExampleSource {
    guard let mapping = try ClassMapping(of: source, classes: classes, names: names) else { return source }
    if let table = source as? any RandomAccessSource {
      return RelabelledRandomAccessSource(table, mapping, known: names)
    }
    return RelabelledSource(source, mapping, known: names)
  }
}

/// A source with other labels for its classes.
class RelabelledSource: ExampleSource {
  private let base: any ExampleSource
  private let mapping: ClassMapping
  /// The names of the model's classes, for messages.
  private let known: [String]?

  fileprivate init(_ base: any ExampleSource, _ mapping: ClassMapping, known: [String]?) {
    (self.base, self.mapping, self.known) = (base, mapping, known)
  }

  var specification: String { base.specification }
  var knownCount: Int? { base.knownCount }
  /// The names are those of other labels.
  var classNames: [String]? { nil }
  var knownClassCount: Int? { nil }
  var position: Int { base.position }
  var readsAgainToRestore: Bool { base.readsAgainToRestore }

  var report: SourceReport {
    var report = base.report
    report.choose("the labels", taken: mapping.taken, others: ["their order"])
    return report
  }

  func next() throws -> Example? { try base.next().map(relabelled) }
  func skip(_ count: Int) throws -> Int { try base.skip(count) }
  func location(of id: Int) -> String? { base.location(of: id) }
  func restore(position: Int) throws { try base.restore(position: position) }
  func restore(report: SourceReport) { base.restore(report: report) }
  func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { base.visitListing(visit) }

  fileprivate func relabelled(_ example: Example) throws -> Example {
    guard let label = mapping.labels[example.label] else {
      let names = base.classNames ?? []
      throw OnePassError.classUnknownToModel(
        names.indices.contains(example.label) ? names[example.label] : "\(example.label)", in: specification,
        known: known ?? [])
    }
    return example.with(label: label)
  }
}

/// A ``RelabelledSource`` with random access.
final class RelabelledRandomAccessSource: RelabelledSource, RandomAccessSource {
  private let table: any RandomAccessSource

  fileprivate init(_ base: any RandomAccessSource, _ mapping: ClassMapping, known: [String]?) {
    table = base
    super.init(base, mapping, known: known)
  }

  var count: Int { table.count }
  func example(at id: Int) throws -> Example { try relabelled(table.example(at: id)) }
}
