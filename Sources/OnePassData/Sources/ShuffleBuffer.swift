import OnePassCore

/// A stream in a more random order than that of its arrival: of the examples that wait in a buffer, one is drawn
/// uniformly and delivered, and the next that arrives takes its place.
///
/// An example's id is its position in the order of delivery. Each draw is a function of the seed and of that position. What
/// the buffer holds is kept of the stream; ``peak`` counts it.
///
/// ```swift
/// let sorted = try WebDatasetSource("sorted.tar")
/// let stream = ShuffleBuffer(sorted, size: .examples(10_000), seed: 1)
/// ```
public final class ShuffleBuffer: ExampleSource {
  /// A number of examples and their bytes, the buffer's own for each included.
  public struct Amount: Codable, Hashable, Sendable {
    public var examples = 0
    public var bytes = 0

    public init(examples: Int = 0, bytes: Int = 0) { (self.examples, self.bytes) = (examples, bytes) }
  }

  /// All that is needed to go on: what waits, and what was delivered and has not been used for good.
  public struct Snapshot {
    /// The position from which delivery goes on.
    public let position: Int
    /// Where the stream below stands.
    public let basePosition: Int
    /// What waits, with the positions below as ids.
    public let held: [Example]
    /// What was delivered from `position` on, to be delivered again.
    public let unsettled: [Example]
    public let peak: Amount

    public init(position: Int, basePosition: Int, held: [Example], unsettled: [Example], peak: Amount) {
      (self.position, self.basePosition) = (position, basePosition)
      (self.held, self.unsettled, self.peak) = (held, unsettled, peak)
    }
  }

  public let base: any ExampleSource
  public let size: ShuffleBufferSize
  private let seed: UInt64
  public private(set) var position = 0
  /// The most that the buffer held at any instant.
  public private(set) var peak = Amount()

  private var held: [Example] = []
  private var heldBytes = 0
  /// What was delivered and not settled; after a restoration it is delivered again.
  private var unsettled: [Example] = []
  private var snapshotToRestore: Snapshot?
  private var isAtEnd = false
  /// The position at which delivery ends, and that from which on only what this takes is read.
  private var end: (at: Int, from: Int)?

  /// Bytes of an example's place in the buffer, and of the header of its image's array.
  static let placeBytes = MemoryLayout<Example>.stride + 32

  /// - Parameters:
  ///   - base: the stream as it arrives, of which nothing has been taken.
  ///   - size: how much may wait.
  ///   - seed: fixes the order.
  public init(_ base: any ExampleSource, size: ShuffleBufferSize, seed: UInt64) {
    self.base = base
    self.size = size
    self.seed = seed
  }

  public var specification: String { base.specification }
  public var knownCount: Int? { base.knownCount }
  public var classNames: [String]? { base.classNames }
  public var knownClassCount: Int? { base.knownClassCount }
  public var readsAgainToRestore: Bool { base.readsAgainToRestore }

  public func next() throws -> Example? {
    if let first = unsettled.first?.id, position - first < unsettled.count {
      defer { position += 1 }
      return unsettled[position - first]
    }
    try fill()
    guard !held.isEmpty else { return nil }
    var generator = SeededGenerator(seed: seed, .shuffleBuffer, position)
    held.swapAt(generator.next(below: held.count), held.count - 1)
    let drawn = held.removeLast()
    heldBytes -= Self.cost(of: drawn)
    let example = Example(id: position, label: drawn.label, image: drawn.image, subject: drawn.subject)
    position += 1
    if !readsAgainToRestore { unsettled.append(example) }
    return example
  }

  private func fill() throws {
    while !isAtEnd, !isFull, isMoreNeeded {
      guard let example = try base.next() else {
        isAtEnd = true
        return
      }
      held.append(example)
      heldBytes += Self.cost(of: example)
      peak.examples = max(peak.examples, held.count)
      peak.bytes = max(peak.bytes, heldBytes)
    }
  }

  /// How many examples were taken from the stream below and not delivered; those that are to be delivered again included.
  public var waiting: Int {
    held.count + (unsettled.first.map { unsettled.count - (position - $0.id) } ?? 0)
  }

  /// Has delivery end at a position that comes before the stream's own end, with nothing left in the buffer: from another
  /// position on, no more is taken from the stream below than is delivered.
  /// - Parameters:
  ///   - end: At least ``waiting`` examples after the present position.
  ///   - start: Where it was asked for. A stream that is read again to go on needs both before it is restored.
  public func end(at end: Int, from start: Int) { self.end = (end, start) }

  private var isMoreNeeded: Bool {
    guard let end, position >= end.from else { return true }
    return held.count < end.at - position
  }

  private var isFull: Bool {
    switch size {
    case .examples(let count): held.count >= count
    case .bytes(let count): heldBytes >= count.bytes
    }
  }

  /// What a buffer would hold at most of a stream.
  /// - Parameters:
  ///   - size: How much may wait.
  ///   - imageBytes: The mean size of the stream's images, in bytes.
  ///   - streamExamples: The length of the stream.
  public static func expected(
    _ size: ShuffleBufferSize, imageBytes: Double, of streamExamples: Int
  ) -> Amount {
    let cost = imageBytes + Double(placeBytes)
    let examples =
      switch size {
      case .examples(let count): count
      case .bytes(let count): Int((Double(count.bytes) / cost).rounded(.up))
      }
    let held = min(examples, streamExamples)
    return Amount(examples: held, bytes: Int(Double(held) * cost))
  }

  private static func cost(of example: Example) -> Int { example.image.bytes.count + placeBytes }

  // MARK: Going on

  /// Says that what was delivered before `position` has been used for good.
  public func settle(upTo position: Int) {
    unsettled.removeFirst(unsettled.prefix { $0.id < position }.count)
  }

  /// What has to be kept to go on; `nil` where the stream below has to be read again anyway, and then all of it comes
  /// from there.
  public var snapshot: Snapshot? {
    guard !readsAgainToRestore else { return nil }
    return Snapshot(
      position: unsettled.first?.id ?? position, basePosition: base.position, held: held,
      unsettled: unsettled,
      peak: peak)
  }

  /// Has the next `restore(position:)` put everything back instead of reading the stream again.
  public func prepareToRestore(_ snapshot: Snapshot) { snapshotToRestore = snapshot }

  /// Goes on from a snapshot, if there is one, and else by reading what has passed and drawing as before.
  public func restore(position target: Int) throws {
    precondition(position == 0 && held.isEmpty, "A source is restored before anything is taken from it.")
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
      throw OnePassError(
        .badData,
        "The shuffle buffer was saved at example \(snapshot.position), and the run goes on at \(target): its checkpoint "
          + "is damaged.")
    }
    try base.restore(position: snapshot.basePosition)
    position = target
    held = snapshot.held
    heldBytes = held.reduce(0) { $0 + Self.cost(of: $1) }
    unsettled = snapshot.unsettled
    peak = snapshot.peak
    snapshotToRestore = nil
  }
}

extension ShuffleBuffer: SurveyableSource {
  /// What is known of the stream as it arrives: the buffer changes neither its length nor its classes.
  public func survey() throws -> Survey { try Survey.of(base) }
}
