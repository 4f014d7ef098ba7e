import OnePassCore

/// A stream shuffled through a buffer.
///
/// Each delivery draws one buffered example uniformly; the next example that arrives takes its place. An example's
/// id is its position in the order of delivery. Each draw is a function of the seed and that position. Buffered
/// examples count as storage; see ``peak``.
///
/// With a capacity in bytes, the buffer never exceeds it: the next example waits until there is room. An example that alone
/// exceeds the capacity is delivered when the buffer is empty.
///
/// ```swift
/// let sorted = try WebDatasetSource("sorted.tar")
/// let stream = ShuffleBuffer(sorted, size: .examples(10_000), seed: 1)
/// ```
public final class ShuffleBuffer: ExampleSource {
  /// A number of examples and the memory that they take in the buffer.
  ///
  /// ```swift
  /// let amount = ShuffleBuffer.Amount(examples: 10_000, bytes: 1_100_000_000)
  /// ```
  public struct Amount: Codable, Hashable, Sendable {
    /// The number of examples.
    public var examples = 0
    /// The bytes of the images and of the buffer's entries.
    public var bytes = 0

    /// Creates an amount.
    public init(examples: Int = 0, bytes: Int = 0) { (self.examples, self.bytes) = (examples, bytes) }
  }

  /// The state from which a shuffled stream resumes: buffered examples, and delivered ones that are not settled.
  ///
  /// ```swift
  /// let interrupted = ShuffleBuffer(try WebDatasetSource("sorted.tar"), size: .examples(100), seed: 1)
  /// _ = try interrupted.next()
  /// let resumed = ShuffleBuffer(try WebDatasetSource("sorted.tar"), size: .examples(100), seed: 1)
  /// let snapshot = interrupted.snapshot
  /// resumed.prepareToRestore(snapshot)
  /// try resumed.restore(position: snapshot.position)
  /// ```
  public struct Snapshot {
    /// The position at which delivery resumes.
    public let position: Int
    /// The position of the underlying stream.
    public let basePosition: Int
    /// The buffered examples, and last the one that waits for room. Their ids are positions of the underlying stream.
    public let held: [Example]
    /// The examples delivered from `position` on, which are delivered again.
    public let unsettled: [Example]
    /// The maximum amount that the buffer has held.
    public let peak: Amount

    /// Creates a snapshot from saved parts.
    public init(position: Int, basePosition: Int, held: [Example], unsettled: [Example], peak: Amount) {
      (self.position, self.basePosition) = (position, basePosition)
      (self.held, self.unsettled, self.peak) = (held, unsettled, peak)
    }
  }

  /// The underlying stream, in arrival order.
  public let base: any ExampleSource
  /// The capacity of the buffer.
  public let size: ShuffleBufferSize
  private let seed: UInt64
  /// The number of examples delivered.
  public private(set) var position = 0
  /// The maximum amount that the buffer has held.
  public private(set) var peak = Amount()

  private var held: [Example] = []
  private var heldBytes = 0
  /// The next example of the underlying stream, if there is no room for it.
  private var pending: Example?
  /// Examples that were delivered but not settled. They are delivered again after a restoration.
  private var unsettled: [Example] = []
  private var snapshotToRestore: Snapshot?
  private var isAtEnd = false
  /// See ``end(at:from:)``.
  private var end: (at: Int, from: Int)?

  /// Bytes of an example's entry in the buffer and of its image's array header.
  static let placeBytes = MemoryLayout<Example>.stride + 32

  /// Creates a shuffled stream.
  /// - Parameters:
  ///   - base: The underlying stream, at its start.
  ///   - size: The capacity of the buffer.
  ///   - seed: The seed of the order.
  public init(_ base: any ExampleSource, size: ShuffleBufferSize, seed: UInt64) {
    self.base = base
    self.size = size
    self.seed = seed
  }

  /// The specification of the underlying stream.
  public var specification: String { base.specification }
  /// The number of examples; `nil` if it is not known in advance.
  public var knownCount: Int? { base.knownCount }
  /// The names of the classes in label order; `nil` if they have none.
  public var classNames: [String]? { base.classNames }
  /// The number of classes; `nil` if it is not known in advance.
  public var knownClassCount: Int? { base.knownClassCount }
  /// Whether labels are positions among the sorted names.
  public var labelsFollowNames: Bool { base.labelsFollowNames }
  /// Visits the entries of the source behind this one.
  public func visitListing(_ visit: (ListedEntry) -> Void) -> Bool { base.visitListing(visit) }
  /// Whether ``restore(position:)`` reads the stream from the start.
  public var readsAgainToRestore: Bool { base.readsAgainToRestore }

  /// What the underlying stream has left out and chosen so far.
  public var report: SourceReport { base.report }
  /// Always `true`: the seed draws the next example of the buffer.
  public var orderDependsOnSeed: Bool? { true }
  /// Restores the report of the underlying stream.
  public func restore(report: SourceReport) { base.restore(report: report) }

  /// Draws the next example; `nil` at the end.
  /// - Throws: Errors of the underlying stream.
  public func next() throws -> Example? {
    if let first = unsettled.first?.id, position - first < unsettled.count {
      defer { position += 1 }
      return unsettled[position - first]
    }
    try fill()
    guard let drawn = draw() else { return nil }
    let example = drawn.with(id: position)
    position += 1
    unsettled.append(example)
    return example
  }

  /// Removes a buffered example, or the one that does not fit into an empty buffer.
  private func draw() -> Example? {
    guard !held.isEmpty else {
      defer { pending = nil }
      return pending
    }
    var generator = SeededGenerator(seed: seed, .shuffleBuffer, position)
    held.swapAt(generator.next(below: held.count), held.count - 1)
    let drawn = held.removeLast()
    heldBytes -= Self.cost(of: drawn)
    return drawn
  }

  private func fill() throws {
    while pending != nil || !isAtEnd && isMoreNeeded && hasPlace {
      guard let example = try pending ?? base.next() else {
        isAtEnd = true
        return
      }
      pending = example
      let cost = Self.cost(of: example)
      guard hasRoom(for: cost) else { return }
      pending = nil
      held.append(example)
      heldBytes += cost
      peak.examples = max(peak.examples, held.count)
      peak.bytes = max(peak.bytes, heldBytes)
    }
  }

  /// The number of examples that were read but not delivered, including those to be delivered again.
  public var waiting: Int {
    held.count + (pending == nil ? 0 : 1)
      + (unsettled.first.map { unsettled.count - (position - $0.id) } ?? 0)
  }

  /// Ends delivery before the end of the stream, with an empty buffer.
  ///
  /// From position `start` on, only as many examples are read as will be delivered. If the stream is read from the
  /// start to resume, call this before ``restore(position:)``.
  /// - Parameters:
  ///   - end: The position at which delivery ends, at least ``waiting`` examples after the current one.
  ///   - start: The position at which the end was requested.
  public func end(at end: Int, from start: Int) { self.end = (end, start) }

  private var isMoreNeeded: Bool {
    guard let end, position >= end.from else { return true }
    return held.count < end.at - position
  }

  /// Whether the number of examples leaves a place. With a capacity in bytes, the size of the next example decides.
  private var hasPlace: Bool {
    if case .examples(let count) = size { held.count < count } else { true }
  }

  private func hasRoom(for bytes: Int) -> Bool {
    if case .bytes(let count) = size { heldBytes + bytes <= count.bytes } else { true }
  }

  /// Estimates the maximum amount that a buffer holds of a stream.
  /// - Parameters:
  ///   - size: The capacity of the buffer.
  ///   - imageBytes: The mean size of the stream's images, in bytes.
  ///   - streamExamples: The length of the stream.
  public static func expected(
    _ size: ShuffleBufferSize, imageBytes: Double, of streamExamples: Int
  ) -> Amount {
    let cost = imageBytes + Double(placeBytes)
    let examples =
      switch size {
      case .examples(let count): count
      case .bytes(let count): Int((Double(count.bytes) / cost).rounded(.down))
      }
    let held = min(examples, streamExamples)
    return Amount(examples: held, bytes: Int(Double(held) * cost))
  }

  private static func cost(of example: Example) -> Int { example.image.bytes.count + placeBytes }

  // MARK: Resuming

  /// Marks the examples delivered before `position` as settled: they are never delivered again.
  public func settle(upTo position: Int) {
    unsettled.removeFirst(unsettled.prefix { $0.id < position }.count)
  }

  /// The state to save for a resumption.
  public var snapshot: Snapshot {
    Snapshot(
      position: unsettled.first?.id ?? position, basePosition: base.position,
      held: held + (pending.map { [$0] } ?? []), unsettled: unsettled, peak: peak)
  }

  /// Makes the next ``restore(position:)`` use a snapshot instead of reading the stream from the start.
  public func prepareToRestore(_ snapshot: Snapshot) { snapshotToRestore = snapshot }

  /// Continues at a position, from the prepared snapshot or by repeating all earlier draws.
  /// - Throws: `OnePassError` (`badData`) if the snapshot is of another position or the stream is shorter; errors of
  ///   the underlying stream.
  public func restore(position target: Int) throws {
    precondition(position == 0 && held.isEmpty, "A source must be restored before anything is read from it.")
    guard let snapshot = snapshotToRestore else {
      while position < target {
        guard try next() != nil else {
          return try checkRestore(to: target, within: position, of: specification)
        }
      }
      settle(upTo: position)
      return
    }
    guard snapshot.position == target else {
      throw OnePassError.shuffleBufferDiffers(saved: snapshot.position, resumed: target)
    }
    try base.restore(position: snapshot.basePosition)
    position = target
    held = snapshot.held
    heldBytes = held.reduce(0) { $0 + Self.cost(of: $1) }
    if case .bytes(let count) = size, heldBytes > count.bytes, let last = held.popLast() {
      pending = last
      heldBytes -= Self.cost(of: last)
    }
    unsettled = snapshot.unsettled
    peak = snapshot.peak
    snapshotToRestore = nil
  }
}

extension ShuffleBuffer: SurveyableSource {
  /// Surveys the underlying stream, whose length and classes the buffer does not change.
  public func survey() throws -> Survey { try Survey.of(base) }
}
