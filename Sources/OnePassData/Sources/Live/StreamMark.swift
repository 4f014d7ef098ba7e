import OnePassBrokers

/// The place of a run in a stream of a broker, which is saved in its checkpoints.
package struct StreamMark: Codable, Hashable, Sendable {
  /// A message before the mark, by which a later run recognises the stream.
  package struct Known: Codable, Hashable, Sendable {
    let partition: Int
    /// The message before it in its partition.
    let before: PartitionPlace?
    let offset: BrokerOffset
    /// XXH3 of the body.
    let digest: UInt64
    /// The position of its first example, and their number.
    let id: Int
    let count: Int
  }

  /// The last message of each partition whose examples were all delivered.
  package var places: [PartitionPlace?] = []
  /// The number of examples that were delivered of the message after that, which is of the partition `turn`.
  package var begun = 0
  /// The partition to look at next.
  package var turn = 0
  /// The number of messages that held no example.
  package var rejected = 0
  /// The number of messages that were removed before they could be read.
  package var lost = 0
  /// The last messages, in the order of delivery.
  package var known: [Known] = []

  package init(places: [PartitionPlace?] = []) { self.places = places }

  /// The number of messages that are kept for recognition.
  static let knownMessages = 16
}

/// The marks after each example that was delivered, as far as a checkpoint may need them.
///
/// Two threads use it: one reads the stream, the other saves.
struct StreamMarks {
  /// The mark before the first of `steps`.
  private var base: StreamMark
  private var basePosition: Int
  private var steps: ArraySlice<Step> = []

  /// A delivered example.
  fileprivate struct Step {
    let message: StreamMark.Known
    let place: PartitionPlace
    /// The number of examples of the message delivered with it.
    let begun: Int
    let rejected: Int
    let lost: Int
  }

  init(_ mark: StreamMark, at position: Int) { (base, basePosition) = (mark, position) }

  /// Notes an example.
  mutating func note(
    _ message: BrokerMessage, before: PartitionPlace?, digest: UInt64, id: Int, index: Int, of count: Int,
    rejected: Int, lost: Int
  ) {
    steps.append(
      Step(
        message: .init(
          partition: message.partition, before: before, offset: message.offset, digest: digest,
          id: id - index, count: count),
        place: PartitionPlace(message.offset, index: message.index), begun: index + 1, rejected: rejected,
        lost: lost))
  }

  /// The mark before an example.
  func mark(at position: Int) -> StreamMark {
    steps.prefix(max(0, position - basePosition)).reduce(into: base) { $0.advance(over: $1) }
  }

  /// Forgets the marks before a position.
  mutating func settle(upTo position: Int) {
    let count = min(max(0, position - basePosition), steps.count)
    for step in steps.prefix(count) { base.advance(over: step) }
    steps.removeFirst(count)
    basePosition += count
  }
}

extension StreamMark {
  fileprivate mutating func advance(over step: StreamMarks.Step) {
    let (message, partition) = (step.message, step.message.partition)
    while places.count <= partition { places.append(nil) }
    (rejected, lost) = (step.rejected, step.lost)
    guard step.begun == message.count else {
      (begun, turn) = (step.begun, partition)
      return
    }
    places[partition] = step.place
    (begun, turn) = (0, partition + 1)
    known.append(message)
    known.removeFirst(max(0, known.count - Self.knownMessages))
  }
}
