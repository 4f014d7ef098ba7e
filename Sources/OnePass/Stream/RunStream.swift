import OnePassCore
import OnePassData

/// The stream of a run, with its optional shuffle buffer.
struct RunStream {
  /// The source that the run takes examples from.
  let source: any ExampleSource
  /// The same source, if it is a shuffle buffer.
  let buffer: ShuffleBuffer?
  /// The examples on their way, if the stream cannot be read again and has no buffer that keeps them.
  let delivered: DeliveredExamples?
  /// Whether entries that are left out are an error.
  let isStrict: Bool
  /// The position of the first example that can be read again: not 0 if earlier ones are of another source, and beyond all
  /// if a buffer has mixed the two.
  let firstReadable: Int
  /// The data as it was opened.
  private let opened: any ExampleSource
  /// The same, if it is read in order and can be silent; `nil` with random access.
  let waiting: WaitingSource?
  /// The same, if it is a stream of a broker.
  let live: LiveSource?

  /// A source without a buffer.
  init(_ source: any ExampleSource, isStrict: Bool = false) {
    (self.source, opened, self.isStrict, firstReadable) = (source, source, isStrict, 0)
    (buffer, delivered) = (nil, nil)
    waiting = source as? WaitingSource
    live = waiting?.live
  }

  /// A source, behind a shuffle buffer if the configuration has one.
  ///
  /// Examples beyond `limit` never enter the buffer.
  /// - Throws: `OnePassError` (`usage`) if there is a buffer and the source is already in random order, or if there is a seed
  ///   of the order and no seed changes the order.
  init(_ source: any ExampleSource, _ configuration: RunConfiguration) throws {
    let source = try Self.shaped(source, configuration)
    if configuration.data.shuffleBuffer != nil, source is any RandomAccessSource {
      throw OnePassError.shuffleBufferNotNeeded(source.specification)
    }
    // The option's condition knows the kinds of sources only by their names.
    if configuration.data.shuffleBuffer == nil, configuration.orderSeed != nil,
      configuration.method != .multiEpoch, source.orderDependsOnSeed != true
    {
      throw OnePassError.orderSeedWithoutEffect(source.specification)
    }
    let waiting = source is any RandomAccessSource ? nil : WaitingSource(source)
    let opened = waiting ?? source
    self.init(opened, of: opened, waiting, configuration, limit: configuration.data.limit)
  }

  private init(
    _ source: any ExampleSource, of opened: any ExampleSource, _ waiting: WaitingSource?,
    _ configuration: RunConfiguration, limit: Int?
  ) {
    (self.opened, self.waiting, live) = (opened, waiting, waiting?.live)
    isStrict = configuration.data.strict
    let continued = source as? ContinuedSource
    firstReadable = continued.map { configuration.data.shuffleBuffer == nil ? $0.offset : .max } ?? 0
    guard let size = configuration.data.shuffleBuffer else {
      (self.source, buffer) = (source, nil)
      let isLost = source.readsAgainToRestore || continued != nil
      delivered = isLost && configuration.method != .multiEpoch ? DeliveredExamples() : nil
      return
    }
    let limited = limit.map { LimitedSource.first($0, of: source) } ?? source
    let buffer = ShuffleBuffer(limited, size: size, seed: configuration.seedOfOrder)
    (self.source, self.buffer, delivered) = (buffer, buffer, nil)
  }

  /// The source in the shape of the stream, if the run has one.
  private static func shaped(
    _ source: any ExampleSource, _ configuration: RunConfiguration
  ) throws -> any ExampleSource {
    guard let shape = configuration.data.shape else { return source }
    guard let table = source as? any RandomAccessSource else {
      throw OnePassError.shapeNeedsRandomAccess(shape, of: source.specification)
    }
    return try ShapedSource(
      table, shape, seed: configuration.seedOfOrder, limit: configuration.data.limit ?? .max)
  }

  /// The groups of classes of the stream, if its shape has groups.
  var groups: StreamGroups? {
    guard let shaped = opened as? ShapedSource, !shaped.groups.isEmpty else { return nil }
    return StreamGroups(classes: shaped.groups, ends: shaped.groupEnds)
  }

  /// The groups of classes of the stream, as a notice; `nil` without any.
  var noticeOfGroups: String? {
    guard let shaped = opened as? ShapedSource, !shaped.groups.isEmpty else { return nil }
    func name(_ label: Int) -> String { shaped.classNames?[label] ?? "\(label)" }
    let groups = shaped.groups.prefix(20).map { $0.prefix(20).map(name).joined(separator: " ") }
    return "The groups of --stream \(shaped.shape): \(groups.joined(separator: " | "))."
  }

  /// The stream in arrival order, before the buffer.
  var arriving: any ExampleSource { buffer?.base ?? source }

  /// One pass over the stream.
  func feed(alreadyTaken: [Example] = [], limit: Int) -> StreamFeed {
    StreamFeed(self, alreadyTaken: alreadyTaken, limit: limit)
  }

  // MARK: Resuming

  /// Marks the examples before a position as trained.
  /// - Returns: The messages of a broker that held no example, before the last of these.
  @discardableResult
  func settle(upTo position: Int) -> [RejectedMessage] {
    buffer?.settle(upTo: position)
    delivered?.settle(upTo: position)
    return live?.settle(upTo: buffer.map { $0.base.position } ?? position) ?? []
  }

  /// The place in a broker's stream after the first `taken` examples; with a buffer, after those that have entered it.
  func mark(taken: Int) -> StreamMark? { live?.mark(at: buffer.map { $0.base.position } ?? taken) }

  /// The examples to save in a checkpoint; `nil` if the stream can be read again.
  var snapshot: ShuffleBuffer.Snapshot? {
    let read = source.readsAgainToRestore ? waiting?.undelivered ?? [] : []
    return buffer?.snapshot.adding(read) ?? delivered?.snapshot(of: source, read)
  }

  /// The stream of a run that continued with another source, which is at its start.
  /// - Parameters:
  ///   - continuation: The earlier parts of the stream.
  ///   - saved: The examples that were saved with the checkpoint.
  ///   - plan: The plan of the run, with its classes.
  ///   - taken: The number of examples that were trained.
  /// - Throws: `OnePassError` (`badData`) if the classes of the source are not those of the run.
  func continuing(
    _ continuation: Continuation, _ saved: ShuffleBuffer.Snapshot?, _ configuration: RunConfiguration,
    _ plan: TrainingPlan, taken: Int
  ) throws -> RunStream {
    let offset = continuation.gaps.last?.position ?? taken
    // Open classes are those of their names in any source.
    let base =
      try plan.classLimit != nil
      ? opened : ClassMapping.applied(to: opened, classes: plan.classes, names: plan.classNames)
    guard configuration.data.shuffleBuffer != nil else {
      let kept = saved?.unsettled.filter { $0.id >= taken && $0.id < offset } ?? []
      return RunStream(
        ContinuedSource(base, from: offset, kept: kept, after: continuation.report), of: opened, waiting,
        configuration, limit: nil)
    }
    // The buffer has the positions of the whole stream, and its base those of the new source.
    let kept = saved.map { $0.held.count + $0.unsettled.count } ?? 0
    return RunStream(
      ContinuedSource(base, from: 0, kept: [], after: continuation.report), of: opened, waiting,
      configuration,
      limit: max(0, plan.streamExamples - taken - kept) + (saved?.basePosition ?? 0))
  }
}
