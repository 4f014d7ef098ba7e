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

  /// An example that was delivered, or messages of a partition that were rejected before the next one.
  fileprivate struct Step {
    /// The message; `nil` for rejected ones.
    var message: StreamMark.Known?
    /// The place after the message, which is the place of the last rejected one.
    var place: PartitionPlace
    let partition: Int
    /// The number of examples of the message that are delivered, if more follow.
    var begun = 0
    var rejected = 0
    let lost: Int
  }

  init(_ mark: StreamMark, at position: Int) { (base, basePosition) = (mark, position) }

  /// Notes an example.
  /// - Parameters:
  ///   - begun: The number of its message's examples that are delivered with it, if more follow; else 0.
  ///   - lost: The number of messages that were removed so far.
  mutating func note(_ message: StreamMark.Known, _ place: PartitionPlace, begun: Int, lost: Int) {
    steps.append(Step(message: message, place: place, partition: message.partition, begun: begun, lost: lost))
  }

  /// Notes a message that holds no example.
  mutating func reject(in partition: Int, _ place: PartitionPlace, lost: Int) {
    if let last = steps.indices.last, steps[last].message == nil, steps[last].partition == partition {
      steps[last].place = place
      steps[last].rejected += 1
    } else {
      steps.append(Step(place: place, partition: partition, rejected: 1, lost: lost))
    }
  }

  /// The mark before an example. Messages that were rejected just before it come after the mark.
  func mark(at position: Int) -> StreamMark {
    steps.prefix(count(before: position)).reduce(into: base) { $0.advance(over: $1) }
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
    lost = step.lost
    rejected += step.rejected
    guard step.begun == 0 else {
      (begun, turn) = (step.begun, step.partition)
      return
    }
    places[step.partition] = step.place
    (begun, turn) = (0, step.partition + 1)
    guard let message = step.message else { return }
    known.append(message)
    known.removeFirst(max(0, known.count - Self.knownMessages))
  }
}
