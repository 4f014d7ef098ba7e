import OnePassCore
import OnePassData

/// The data of a resumed run, compared with what the run recorded: classes, length, names and sizes.
///
/// What was taken is then compared with the ledger, as far as ``comparison`` requires.
struct ResumedData {
  /// The stream, with its earlier parts if it continued with another source.
  let stream: RunStream
  /// The earlier parts of the stream, if there are any.
  let continuation: Continuation?
  /// How much of the stream must be compared with the ledger.
  let comparison: LedgerComparison
  private let source: String
  /// The specification at the start of the run; `nil` if it is the same.
  private let movedFrom: String?
  private let hasOtherFiles: Bool
  /// The number of examples from the checkpoint that are trained first, if the run continues with what comes next.
  private let kept: Int?

  /// - Parameters:
  ///   - stream: The stream as it was opened.
  ///   - saved: The examples that the checkpoint has.
  ///   - continuing: Whether the stream delivers what comes next, instead of the same from its start.
  /// - Throws: `OnePassError` (`badData`) if the classes or the length differ, or the files do and there is no ledger.
  init(
    _ stream: RunStream, _ configuration: RunConfiguration, _ state: RunState,
    _ saved: ShuffleBuffer.Snapshot?, continuing: Bool
  ) throws {
    let source = stream.source
    self.source = source.specification
    try Self.findClasses(stream, configuration, state.plan)
    if continuing || state.continuation != nil {
      self.stream = try Self.continued(stream, configuration, state, saved, continuing)
      continuation =
        continuing ? Self.continuation(state, saved, source, configuration) : state.continuation
      kept = continuing ? saved.map { $0.held.count + $0.unsettled.count } ?? 0 : nil
    } else {
      (self.stream, continuation, kept) = (stream, nil, nil)
    }
    guard !continuing else {
      (movedFrom, hasOtherFiles, comparison) = (nil, false, .sample)
      return
    }
    let before = state.configuration.withoutSecrets.data.source
    movedFrom = configuration.withoutSecrets.data.source == before ? nil : before
    let listing = DataListing(of: source)
    hasOtherFiles = listing != state.listing && listing != nil && state.listing != nil
    let isSame = listing == state.listing && listing != nil
    comparison = hasOtherFiles || (movedFrom != nil && !isSame) ? .everyExample : .sample
    if comparison == .everyExample, configuration.method == .multiEpoch {
      throw OnePassError.filesDiffer(in: source.specification)
    }
    // Another source has other classes and another length than the whole stream.
    guard state.continuation == nil else { return }
    try Self.checkClasses(of: source, state.plan)
    if hasOtherFiles, let survey = try? Survey.of(stream.arriving) {
      // Shards without an index state no length, and a shorter one would end the run early.
      try Self.check(survey.count, configuration, state.plan, source)
    } else if let count = source.knownCount {
      try Self.check(count, configuration, state.plan, source)
    }
  }

  /// The stream of a run that continues with another source, or continued with it before.
  private static func continued(
    _ stream: RunStream, _ configuration: RunConfiguration, _ state: RunState,
    _ saved: ShuffleBuffer.Snapshot?, _ continuing: Bool
  ) throws -> RunStream {
    guard configuration.method != .multiEpoch else { throw OnePassError.continuingSeveralPasses() }
    let continuation =
      continuing ? continuation(state, saved, stream.source, configuration) : state.continuation
    guard let continuation else { return stream }
    let saved = continuing ? saved?.withoutSource : saved
    let continued = try stream.continuing(
      continuation, saved, configuration, state.plan, taken: state.examplesTaken)
    if let saved { continued.buffer?.prepareToRestore(saved) }
    return continued
  }

  private static func continuation(
    _ state: RunState, _ saved: ShuffleBuffer.Snapshot?, _ source: any ExampleSource,
    _ configuration: RunConfiguration
  ) -> Continuation {
    let kept = saved.map { $0.held.count + $0.unsettled.count } ?? 0
    let gap = StreamGap(
      position: state.examplesTaken + kept, source: configuration.withoutSecrets.data.source)
    return Continuation(
      gaps: (state.continuation?.gaps ?? []) + [gap], report: state.loop.incoming.report ?? SourceReport())
  }

  /// Finds the classes of labels that are names, which the rest of the stream needs.
  private static func findClasses(
    _ stream: RunStream, _ configuration: RunConfiguration, _ plan: TrainingPlan
  ) throws {
    guard plan.classNames != nil, plan.classLimit == nil, configuration.data.classNames == nil,
      stream.source.classNames == nil
    else { return }
    _ = try Survey.of(stream.arriving)
  }

  private static func checkClasses(of source: any ExampleSource, _ plan: TrainingPlan) throws {
    guard plan.classLimit == nil, let found = source.classNames else { return }
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
    if let kept {
      let first =
        kept > 0 ? "The \(Figures.count(kept, "example")) on their way at the stop are trained first. " : ""
      notices.append(
        "Continuing with what comes next in \(source), after \(Figures.count(taken, "example")). \(first)"
          + "What passed in between was not trained; result.json records the gap.")
    }
    if comparison == .everyExample {
      let reason = hasOtherFiles ? "Its files are not those of the start" : "Its files cannot be listed"
      notices.append(
        "\(source): \(reason), so all \(taken) examples taken so far were compared with the ledger.")
    }
    return notices
  }
}
