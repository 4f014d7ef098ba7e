/// Reports classes that a step has found.
final class ClassNotice: StepObserver {
  private var reported: Int
  private let report: (String) -> Void
  private static let mostNames = 10

  /// - Parameter classes: The classes that were found before.
  init(_ classes: RunClasses, report: @escaping (String) -> Void) {
    (reported, self.report) = (classes.found.count, report)
  }

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    let found = loop.incoming.classes.found
    guard found.count > reported else { return }
    let new = found[reported...]
    let names = new.prefix(Self.mostNames).map { "\"\($0.name)\"" }.joined(separator: ", ")
    let rest = new.count > Self.mostNames ? " and \(Figures.count(new.count - Self.mostNames)) more" : ""
    report(
      "New \(new.count == 1 ? "class" : "classes") at step \(step.step): \(names)\(rest); "
        + "\(Figures.count(found.count)) so far.")
    reported = found.count
  }
}
