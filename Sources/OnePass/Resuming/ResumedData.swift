import OnePassCore
import OnePassData

/// The data of a resumed run, compared with what the run recorded: classes, length, names and sizes.
///
/// What was taken is then compared with the ledger, as far as ``comparison`` requires.
struct ResumedData {
  /// How much of the stream must be compared with the ledger.
  let comparison: LedgerComparison
  private let source: String
  /// The specification at the start of the run; `nil` if it is the same.
  private let movedFrom: String?
  private let hasOtherFiles: Bool

  /// - Throws: `OnePassError` (`badData`) if the classes or the length differ, or the files do and there is no ledger.
  init(_ stream: RunStream, _ configuration: RunConfiguration, _ state: RunState) throws {
    let source = stream.source
    self.source = source.specification
    let before = state.configuration.withoutSecrets.data.source
    movedFrom = configuration.withoutSecrets.data.source == before ? nil : before
    let listing = DataListing(of: source)
    hasOtherFiles = listing != state.listing && listing != nil && state.listing != nil
    let isSame = listing == state.listing && listing != nil
    comparison = hasOtherFiles || (movedFrom != nil && !isSame) ? .everyExample : .sample
    if comparison == .everyExample, configuration.method == .multiEpoch {
      throw OnePassError.filesDiffer(in: source.specification)
    }
    try Self.checkClasses(stream, configuration, state.plan)
    if hasOtherFiles, let survey = try? Survey.of(stream.arriving) {
      // Shards without an index state no length, and a shorter one would end the run early.
      try Self.check(survey.count, configuration, state.plan, source)
    } else if let count = source.knownCount {
      try Self.check(count, configuration, state.plan, source)
    }
  }

  private static func checkClasses(
    _ stream: RunStream, _ configuration: RunConfiguration, _ plan: TrainingPlan
  ) throws {
    let source = stream.source
    if plan.classNames != nil, configuration.data.classNames == nil, source.classNames == nil {
      // The classes were found by a survey, which the labels of the rest of the stream need again.
      _ = try Survey.of(stream.arriving)
    }
    guard let found = source.classNames else { return }
    guard let names = plan.classNames else {
      guard try ClassMapping(of: source, classes: plan.classes, names: nil) == nil else {
        throw OnePassError.classesDiffer(in: source.specification, new: [], missing: [])
      }
      return
    }
    guard found != names else { return }
    throw OnePassError.classesDiffer(
      in: source.specification, new: found.filter { !names.contains($0) },
      missing: names.filter { !found.contains($0) })
  }

  private static func check(
    _ count: Int, _ configuration: RunConfiguration, _ plan: TrainingPlan, _ source: any ExampleSource
  ) throws {
    guard min(count, configuration.data.limit ?? .max) != plan.streamExamples else { return }
    throw OnePassError.streamLengthDiffers(source.specification, count, before: plan.streamExamples)
  }

  /// Messages for the user, after the comparison with the ledger.
  /// - Parameter taken: The number of examples that were taken before.
  func notices(taken: Int) -> [String] {
    var notices: [String] = []
    if let movedFrom { notices.append("The data is \(source), and was \(movedFrom) before.") }
    if comparison == .everyExample {
      let reason = hasOtherFiles ? "Its files are not those of the start" : "Its files cannot be listed"
      notices.append(
        "\(source): \(reason), so all \(taken) examples taken so far were compared with the ledger.")
    }
    return notices
  }
}
