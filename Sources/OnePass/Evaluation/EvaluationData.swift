import OnePassCore
import OnePassData

/// The evaluation data of a run, of which an image was decoded before the training.
struct EvaluationData {
  let source: any ExampleSource
  /// The first examples, if they had to be taken from the source to decode one.
  private(set) var taken: [Example] = []

  /// The number of images of which at least one must be intact.
  private static let mostTried = 100

  init(_ source: any ExampleSource) { self.source = source }

  /// Decodes the first intact image, so that unusable data is reported before the training.
  /// - Parameters:
  ///   - probe: The same data, opened once more, so that no shard or connection stays open while the model trains; `nil` if
  ///     it can only be read once.
  ///   - plan: The plan of the run, with its classes.
  ///   - pool: The decoder of the run.
  /// - Throws: `OnePassError`: `badData` if there is no example, none of the first images can be decoded or a label is
  ///   outside the classes; errors of reading.
  mutating func check(probe: (any ExampleSource)?, _ plan: TrainingPlan, _ pool: DecodePool) throws {
    let table = source as? any RandomAccessSource
    var tried = 0
    var problem: String?
    while tried < Self.mostTried, let example = try next(tried, of: table, probe) {
      tried += 1
      // That of open classes is known later.
      if plan.classLimit == nil {
        try checkLabel(of: example, classCount: plan.classes, in: source.specification)
      }
      let batch = try pool.submit([example], views: [.centre]).wait()
      if batch.count > 0 { return }
      problem = problem ?? batch.skipped.first?.reason
    }
    guard tried > 0 else { throw OnePassError.noExamples(in: source.specification) }
    throw OnePassError.noDecodableImages(amongFirst: tried, of: source.specification, reason: problem)
  }

  private mutating func next(
    _ index: Int, of table: (any RandomAccessSource)?, _ probe: (any ExampleSource)?
  ) throws -> Example? {
    if let table { return index < table.count ? try table.example(at: index) : nil }
    if let probe { return try probe.next() }
    guard let example = try source.next() else { return nil }
    taken.append(example)
    return example
  }
}
