import Foundation
import OnePassCore
import OnePassData
import OnePassModels

/// The facts about a stream that training needs before the first mini-batch: length, classes, size and kind of images.
struct StreamPreparation {
  /// The stream; of a resumed run that continued with another source, with its earlier parts.
  let stream: RunStream
  /// The earlier parts of the stream; `nil` if it has one source.
  let continuation: Continuation?
  let plan: TrainingPlan
  let pipeline: ImagePipeline
  let stem: Stem
  let feed: any ExampleFeed
  /// The first intact image; `nil` in a resumed run.
  let firstImage: EncodedImage?
  /// Notices for the user.
  let notices: [String]
  /// The configuration, with the model and the mini-batch size that the stream chose at the start of the run.
  let configuration: RunConfiguration
  /// What the stream chose; `nil` where the model or the mini-batch size is set.
  let choice: StreamChoice?

  init(_ stream: RunStream, _ requested: RunConfiguration) throws {
    (self.stream, continuation) = (stream, nil)
    let source = stream.source
    let look = try StreamLook(stream, requested)
    let configuration = look.configuration
    (self.configuration, choice) = (configuration, look.choice)
    var streamExamples = look.examples
    if configuration.method == .multiEpoch {
      // All data is stored: by the source itself if it has random access, else in RAM.
      let limited = LimitedSource.first(look.examples, of: source) as? any RandomAccessSource
      let kept =
        try limited
        ?? KeptStream(
          source, alreadyTaken: look.taken, limit: look.examples, isStrict: configuration.data.strict)
      streamExamples = kept.count
      feed = EpochFeed(kept, epochs: configuration.epochs, seed: configuration.seedOfOrder)
    } else {
      feed = stream.feed(alreadyTaken: look.taken, limit: look.examples)
    }
    plan = try look.plan(source, streamExamples: streamExamples)
    (pipeline, stem) = (look.pipeline, look.stem)
    firstImage = look.firstImage
    notices = look.notices + [plan.noticeOfFewUpdates(configuration)].compactMap(\.self)
  }

  /// The facts from the start of a resumed run. Nothing is read ahead, so the source is still at its start.
  /// - Parameters:
  ///   - stream: The stream as it was opened.
  ///   - saved: The examples that the checkpoint has.
  ///   - ledger: The examples that passed before, if there is a record of them.
  ///   - continuing: Whether the stream delivers what comes next, instead of the same from its start.
  /// - Throws: `OnePassError` if the stream differs from that of the start.
  init(
    _ stream: RunStream, _ requested: RunConfiguration, resuming state: RunState,
    saved: ShuffleBuffer.Snapshot?, ledger: LedgerFile?, continuing: Bool
  ) throws {
    let configuration: RunConfiguration
    (configuration, choice) = requested.adoptingChoice(of: state.configuration)
    self.configuration = configuration
    plan = state.plan
    pipeline = state.card.pipeline
    stem = state.card.stem
    let data = try ResumedData(stream, configuration, state, saved, continuing: continuing)
    (self.stream, continuation) = (data.stream, data.continuation)
    let (stream, source) = (data.stream, data.stream.source)
    var feed: any ExampleFeed
    if configuration.method == .multiEpoch {
      let limited = LimitedSource.first(plan.streamExamples, of: source) as? any RandomAccessSource
      let kept = try limited ?? KeptStream(source, alreadyTaken: [], limit: plan.streamExamples)
      feed = EpochFeed(kept, epochs: configuration.epochs, seed: configuration.seedOfOrder)
    } else {
      feed = stream.feed(limit: plan.streamExamples)
    }
    state.loop.position.coolDown?.end(&feed, batchSize: configuration.recipe.batchSize)
    let taken = state.loop.incoming.tally.taken
    try feed.resume(after: taken, ledger: continuing ? nil : ledger, data.comparison)
    if !continuing, let report = state.loop.incoming.report { source.restore(report: report) }
    firstImage = nil
    self.feed = feed
    let steps = state.loop.position.coolDown?.lastStep ?? plan.knownSteps
    var notices =
      ["Resuming after step \(state.loop.position.steps)\(steps.map { " of \($0)" } ?? "")."]
      + data.notices(taken: taken)
    let again = taken - (continuation?.gaps.last?.position ?? 0)
    if source.readsAgainToRestore, !continuing, again > 0 {
      notices.append(
        "\(source.specification) cannot seek, so its first \(again) examples were read again and skipped."
      )
    }
    self.notices = notices
  }
}
