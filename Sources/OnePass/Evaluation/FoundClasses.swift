import OnePassCore
import OnePassData

/// The evaluation examples of the classes that a run with open classes has found. The others are left out and counted.
final class FoundClasses: ExampleSource {
  private let base: any ExampleSource
  private let labels: [String: Int]
  private var taken: ArraySlice<Example>
  private var leftOut = SourceReport()
  private(set) var position = 0

  /// - Parameters:
  ///   - base: The evaluation data.
  ///   - taken: The first examples, which were taken from it before.
  ///   - names: The classes of the run in label order.
  init(_ base: any ExampleSource, alreadyTaken taken: [Example], names: [String]) {
    (self.base, self.taken) = (base, taken[...])
    labels = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
  }

  var specification: String { base.specification }
  var knownCount: Int? { nil }
  var classNames: [String]? { nil }
  var knownClassCount: Int? { nil }

  var report: SourceReport {
    var report = base.report
    report.add(leftOut)
    return report
  }

  func next() throws -> Example? {
    while let example = try taken.popFirst() ?? base.next() {
      let name = Arrival(example, problem: nil).classNamed(in: base.classNames)
      guard let label = labels[name] else {
        leftOut.leaveOut("example of a class that was not trained", example: name)
        continue
      }
      defer { position += 1 }
      return example.with(id: position).with(label: label)
    }
    return nil
  }

  func restore(position: Int) throws { preconditionFailure("An evaluation starts with the first example.") }
}
