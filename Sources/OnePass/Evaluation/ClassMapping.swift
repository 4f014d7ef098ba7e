import OnePassCore
import OnePassData

/// Gives evaluation data the labels of a model's classes.
///
/// - If both have class names, a class has the label of its name in the model.
/// - If only the data has names and all of them are numbers below the number of classes, a number is the label. Folders sort `10`
///   before `2`, so their order would be another one.
/// - Otherwise labels are unchanged.
enum ClassMapping {
  /// - Parameters:
  ///   - source: The evaluation data.
  ///   - classes: The number of classes of the model.
  ///   - names: The class names of the model in label order, if it has any.
  /// - Returns: The source itself if its labels are those of the model.
  /// - Throws: `OnePassError` (`badData`) if a class of the data is not one of the model's, or if numbers are not labels and
  ///   not in their order.
  static func applied(
    to source: any ExampleSource, classes: Int, names: [String]?
  ) throws -> any ExampleSource {
    guard let found = source.classNames, found != names else { return source }
    if let names {
      let byName = Dictionary(zip(names, names.indices)) { first, _ in first }
      let labels = try found.map { name in
        guard let label = byName[name] else {
          throw OnePassError.classUnknownToModel(name, in: source.specification, known: names)
        }
        return label
      }
      return relabelled(source, labels, by: "the names of the model's classes")
    }
    let numbers = found.compactMap(number)
    guard numbers.count == found.count, Set(numbers).count == numbers.count, numbers != Array(found.indices)
    else { return source }
    guard numbers.allSatisfy({ $0 < classes }) else {
      if numbers == numbers.sorted() { return source }
      throw OnePassError.classNumbersAreNotLabels(numbers, of: classes, in: source.specification)
    }
    return relabelled(source, numbers, by: "the numbers that name the classes")
  }

  private static func number(_ name: String) -> Int? {
    name.utf8.allSatisfy { (48...57).contains($0) } ? Int(name) : nil
  }

  private static func relabelled(
    _ source: any ExampleSource, _ labels: [Int], by taken: String
  ) -> any ExampleSource {
    if let table = source as? any RandomAccessSource {
      return RelabelledRandomAccessSource(table, labels: labels, by: taken)
    }
    return RelabelledSource(source, labels: labels, by: taken)
  }
}

/// A source with other labels for its classes.
class RelabelledSource: ExampleSource {
  private let base: any ExampleSource
  /// The labels of the classes of `base`.
  private let labels: [Int]
  private let taken: String

  fileprivate init(_ base: any ExampleSource, labels: [Int], by taken: String) {
    (self.base, self.labels, self.taken) = (base, labels, taken)
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
    report.choose("the labels", taken: taken, others: ["the order of the names"])
    return report
  }

  func next() throws -> Example? { try base.next().map(relabelled) }
  func skip(_ count: Int) throws -> Int { try base.skip(count) }
  func location(of id: Int) -> String? { base.location(of: id) }
  func restore(position: Int) throws { try base.restore(position: position) }
  func restore(report: SourceReport) { base.restore(report: report) }

  fileprivate func relabelled(_ example: Example) throws -> Example {
    try checkLabel(of: example, classCount: labels.count, in: specification)
    return Example(
      id: example.id, label: labels[example.label], image: example.image, subject: example.subject)
  }
}

/// A ``RelabelledSource`` with random access.
final class RelabelledRandomAccessSource: RelabelledSource, RandomAccessSource {
  private let table: any RandomAccessSource

  fileprivate init(_ base: any RandomAccessSource, labels: [Int], by taken: String) {
    table = base
    super.init(base, labels: labels, by: taken)
  }

  var count: Int { table.count }
  func example(at id: Int) throws -> Example { try relabelled(table.example(at: id)) }
}
