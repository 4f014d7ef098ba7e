import OnePassBrokers

/// The place of a run in a stream of a broker, which is saved in its checkpoints.
package struct StreamMark: Codable, Hashable, Sendable {
  /// A message before the mark, by which a later run recognises the stream.
  package struct Known: Codable, Hashable, Sendable {
    let partition: Int
    /// The message before it in its partition.
    let before: PartitionPlace?
    let offset: BrokerOffset
    /// XXH3 of the body, the key and the headers.
    let digest: UInt64
  }

  /// A message with several examples, of which some were delivered.
  package struct Begun: Codable, Hashable, Sendable {
    let message: Known
    /// The number of examples that were delivered.
    let examples: Int
  }

  /// The last message of each partition whose examples were all delivered; `nil` before the first message of the partition.
  package var places: [PartitionPlace?] = []
  /// The message after that, if some of its examples were delivered.
  package var begun: Begun?
  /// The partition to look at next.
  package var turn = 0
  /// The number of messages that were taken.
  package var messages = 0
  /// The number of these that held no example.
  package var rejected = 0
  /// The number of messages that were removed before they could be read.
  package var lost = 0
  /// The last messages of each partition, in the order of delivery.
  package var known: [Known] = []

  package init(places: [PartitionPlace?] = []) { self.places = places }

  /// The number of messages of a partition that are kept for recognition.
  static let knownMessages = 4
}

/// The marks after each example that was delivered, as far as a checkpoint may need them.
///
/// Two threads use it: one reads the stream, the other saves.
struct StreamMarks {
  /// The mark before the first of `steps`.
  private var base: StreamMark
  private var basePosition: Int
  private var steps: ArraySlice<Step> = []

  /// An example that was delivered, or messages of a partition without one: rejected, or removed before they were read.
  fileprivate struct Step {
    let partition: Int
    /// The place after the message, or after the last one without an example.
    var place: PartitionPlace?
    /// The message of the example; `nil` for messages without one.
    var message: StreamMark.Known?
    /// The number of examples of the message that are delivered, if more follow.
    var begun = 0
    var rejected = 0
    var lost = 0
  }

  init(_ mark: StreamMark, at position: Int) { (base, basePosition) = (mark, position) }

  /// Notes an example.
  /// - Parameter begun: The number of its message's examples that are delivered with it, if more follow; else 0.
  mutating func note(_ message: StreamMark.Known, _ place: PartitionPlace, begun: Int) {
    steps.append(Step(partition: message.partition, place: place, message: message, begun: begun))
  }

  /// Notes messages without an example.
  /// - Parameter place: The place after them.
  mutating func pass(
    _ partition: Int, to place: PartitionPlace?, rejected: Int = 0, lost: Int = 0
  ) {
    // One step for each partition, however many messages hold no example.
    var index = steps.endIndex
    while index > steps.startIndex, steps[index - 1].message == nil {
      index -= 1
      guard steps[index].partition == partition else { continue }
      steps[index].place = place
      steps[index].rejected += rejected
      steps[index].lost += lost
      return
    }
    steps.append(Step(partition: partition, place: place, rejected: rejected, lost: lost))
  }

  /// The mark before an example. Messages without an example just before it come after the mark.
  func mark(at position: Int) -> StreamMark {
    steps.prefix(count(before: position)).reduce(into: base) { $0.advance(over: $1) }
  }

  /// The number of steps that are kept.
  var stepCount: Int { steps.count }

  /// The mark after everything that was noted.
  var last: StreamMark { steps.reduce(into: base) { $0.advance(over: $1) } }

  /// The message of an example that is not settled.
  func message(of position: Int) -> StreamMark.Known? {
    let count = count(before: position + 1)
    return count > 0 && position >= basePosition ? steps.prefix(count).last?.message : nil
  }

  /// Forgets the marks before a position.
  mutating func settle(upTo position: Int) {
    let count = count(before: position)
    for step in steps.prefix(count) { base.advance(over: step) }
    steps.removeFirst(count)
    basePosition = max(basePosition, position)
  }

  /// The number of steps up to the last example before a position.
  private func count(before position: Int) -> Int {
    var missing = position - basePosition
    guard missing > 0 else { return 0 }
    for (count, step) in steps.enumerated() where step.message != nil {
      missing -= 1
      if missing == 0 { return count + 1 }
    }
    return steps.count
  }
}

extension StreamMark {
  fileprivate mutating func advance(over step: StreamMarks.Step) {
    while places.count <= step.partition { places.append(nil) }
    lost += step.lost
    rejected += step.rejected
    messages += step.rejected
    if let message = step.message, step.begun > 0 {
      (begun, turn) = (Begun(message: message, examples: step.begun), step.partition)
      return
    }
    places[step.partition] = step.place
    guard let message = step.message else { return }
    (begun, turn) = (nil, step.partition + 1)
    messages += 1
    known.append(message)
    let ofPartition = known.indices.filter { known[$0].partition == message.partition }
    if ofPartition.count > Self.knownMessages { known.remove(at: ofPartition[0]) }
  }
}
