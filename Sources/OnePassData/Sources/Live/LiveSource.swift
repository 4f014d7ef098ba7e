import CXXHash
import Foundation
import OnePassBrokers
import OnePassCore

/// A stream of a broker: Kafka, Redis, NATS or RabbitMQ.
///
/// Its place is a ``StreamMark``, which a checkpoint saves with the weights and the memory. A resumed run seeks to that place,
/// whatever the broker has recorded, so that each message is trained once.
package final class LiveSource: ExampleSource {
  private let address: BrokerAddress
  private let options: LiveOptions
  private let mapping: MessageMapping
  private let reader: any BrokerReader
  private let queues: PartitionQueues
  private let request: SourceRequest

  private(set) package var position = 0
  private(set) package var report = SourceReport()
  /// The last message of each partition that was taken.
  private var places: [PartitionPlace?] = []
  /// The rest of a message with several examples.
  private var rest: ArraySlice<LabelledImage> = []
  private var current: (known: StreamMark.Known, place: PartitionPlace, count: Int)?
  /// The examples of the first message that an earlier process has delivered.
  private var begun = 0
  private var prepared: (mark: StreamMark, position: Int)?
  private var order: MessageOrder?
  private var lastGrowth = ContinuousClock.now
  private var rejectedCount = 0
  private var lostCount = 0
  /// What the thread that saves the run reads.
  private let shared = NSLock()
  private var marks = StreamMarks(StreamMark(), at: 0)
  private var rejections: [RejectedMessage] = []

  /// Connects to a broker.
  /// - Throws: As ``BrokerAddress/openReader(_:)``; `usage` if the label key does not fit the form of the messages.
  convenience init(_ address: BrokerAddress, _ options: LiveOptions, _ request: SourceRequest) throws {
    let mapping = try MessageMapping(options.form, request)
    try self.init(address.openReader(options.broker), of: address, mapping, options, request)
  }

  init(
    _ reader: any BrokerReader, of address: BrokerAddress, _ mapping: MessageMapping, _ options: LiveOptions,
    _ request: SourceRequest
  ) {
    (self.reader, self.address, self.mapping, self.options, self.request) = (
      reader, address, mapping, options, request
    )
    queues = PartitionQueues(reader)
  }

  deinit { reader.close() }

  package var specification: String { address.description }
  package var knownCount: Int? { nil }
  package var classNames: [String]? { request.classNames }
  package var knownClassCount: Int? { request.classNames?.count ?? request.classCount }
  package var orderDependsOnSeed: Bool? { false }
  package func restore(report: SourceReport) { self.report = report }

  // MARK: Reading

  package func next() throws -> Example? {
    if queues.count == 0 { try begin() }
    while true {
      if let image = rest.popFirst() { return try deliver(image) }
      guard let message = try nextMessage() else { continue }
      try take(message)
    }
  }

  private func nextMessage() throws -> BrokerMessage? {
    if queues.count > 0, .now - lastGrowth > .seconds(5) {
      try growIfNeeded()
      lastGrowth = .now
    }
    do {
      guard let partition = order?.next else { return try queues.next(waiting: 0.5) }
      let (message, isAtEnd) = try queues.next(of: partition, waiting: 0.5)
      if isAtEnd { order?.abandon() }
      return message
    } catch let error as OnePassError where error.code == .badData && options.gaps == .continue {
      guard try passGaps() else { throw error }
      return nil
    }
  }

  private func growIfNeeded() throws {
    try queues.grow()
    while places.count < queues.count { places.append(nil) }
  }

  private func take(_ message: BrokerMessage) throws {
    let before = places[message.partition]
    let place = PartitionPlace(message.offset, index: message.index)
    places[message.partition] = place
    do {
      let examples = try mapping.examples(in: message)
      let known = StreamMark.Known(
        partition: message.partition, before: before, offset: message.offset, digest: digest(message))
      current = (known, place, examples.count)
      rest = examples[...].dropFirst(begun)
      begun = 0
    } catch let problem as MessageProblem { try reject(message, problem) }
  }

  private func deliver(_ image: LabelledImage) throws -> Example {
    guard let current else { preconditionFailure("An example must have a message.") }
    try order?.record(current.known.partition)
    let (known, place, count) = current
    let begun = rest.isEmpty ? 0 : count - rest.count
    shared.withLock { marks.note(known, place, begun: begun, lost: lostCount) }
    defer { position += 1 }
    return Example(id: position, image)
  }

  private func digest(_ message: BrokerMessage) -> UInt64 {
    message.body.withUnsafeBytes { XXH3_64bits($0.baseAddress, $0.count) }
  }

  private func reject(_ message: BrokerMessage, _ problem: MessageProblem) throws {
    let partition = queues.count > 1 ? message.partition : nil
    let name = partition.map { "partition \($0), \(message.offset)" } ?? "\(message.offset)"
    report.leaveOut(LeftOutReason(rawValue: problem.kind), example: name)
    rejectedCount += 1
    shared.withLock {
      marks.reject(
        in: message.partition, PartitionPlace(message.offset, index: message.index), lost: lostCount)
      if rejections.count < Self.keptRejections {
        rejections.append(
          RejectedMessage(
            partition: partition, offset: "\(message.offset)", position: position, reason: problem.text))
      }
    }
    let seen = rejectedCount + position
    guard seen >= Self.smallestSample, Double(rejectedCount) > options.rejectedLimit * Double(seen) else {
      return
    }
    throw OnePassError.tooManyRejected(
      rejectedCount, of: seen, in: specification, limit: options.rejectedLimit,
      last: "\(name): \(problem.text)")
  }

  /// The share of rejected messages is not tested on fewer messages.
  private static let smallestSample = 100
  /// The maximum number of rejected messages that wait to be recorded.
  private static let keptRejections = 1_000

  // MARK: Places

  /// Opens the recorded order of partitions; see `MessageOrder`.
  /// - Parameter path: Its file.
  package func recordOrder(in path: String) throws {
    if queues.count == 0 { try begin() }
    if queues.count > 1 { order = try MessageOrder(path, at: position) }
  }

  /// The mark before an example that was delivered and not settled.
  package func mark(at position: Int) -> StreamMark { shared.withLock { marks.mark(at: position) } }

  /// Forgets the marks before a position, and returns the messages that were rejected before it.
  package func settle(upTo position: Int) -> [RejectedMessage] {
    shared.withLock {
      marks.settle(upTo: position)
      let settled = rejections.prefix { $0.position < position }
      rejections.removeFirst(settled.count)
      return Array(settled)
    }
  }

  /// Reports to the broker what is trained and saved.
  /// - Returns: A message for the user if that failed.
  package func confirm(_ mark: StreamMark) -> String? {
    reader.confirm(mark.places).map {
      "\(specification): the broker could not be notified of the progress (\($0))."
    }
  }

  /// The number of messages after a mark; `nil` if it is unknown.
  package func lag(after mark: StreamMark) -> Int? {
    var sum = 0
    for (partition, place) in mark.places.enumerated() {
      guard let lag = reader.lag(after: place, in: partition) else { return nil }
      sum += lag
    }
    return sum
  }

  /// The peak of the memory of messages that were fetched and not delivered, in bytes, without that of the client library.
  package var peakFetchedBytes: Int { queues.peakBytes }

  private func begin() throws {
    let count = try reader.partitionCount()
    queues.start(count, turn: 0)
    places = []
    for partition in 0..<count {
      places.append(try reader.kept(partition).start)
      try reader.seek(partition, after: places[partition])
    }
    shared.withLock {
      marks = StreamMarks(StreamMark(places: places), at: 0)
    }
  }

  // MARK: Resuming

  /// Determines the mark to which ``restore(position:)`` returns.
  package func prepareToRestore(_ mark: StreamMark, at position: Int) { prepared = (mark, position) }

  package func restore(position: Int) throws {
    guard let prepared, prepared.position == position else {
      guard position == 0 else { throw OnePassError.noStreamMark(specification) }
      return
    }
    let mark = prepared.mark
    let count = try reader.partitionCount()
    guard count >= mark.places.count else {
      throw OnePassError.partitionsMissing(specification, mark.places.count, count)
    }
    places = mark.places
    (rejectedCount, lostCount, begun) = (mark.rejected, mark.lost, mark.begun)
    queues.start(count, turn: mark.turn)
    for partition in 0..<count {
      if partition < places.count {
        let kept = try reader.kept(partition)
        try check(partition, kept)
        try recognise(mark.known.filter { $0.partition == partition }, kept)
      } else {
        places.append(nil)
      }
      try reader.seek(partition, after: places[partition])
    }
    self.position = position
    shared.withLock { marks = StreamMarks(mark, at: position) }
  }

  /// Checks that a partition still has what comes after its place.
  private func check(_ partition: Int, _ kept: KeptMessages) throws {
    guard let place = places[partition] else { return }
    guard place.last <= kept.newest ?? BrokerOffset(0, 0) || place.last == kept.start?.last else {
      throw OnePassError.streamWentBack(address, place: place.last, newest: kept.newest)
    }
    guard let lost = kept.lost(after: place), lost > 0 else { return }
    guard options.gaps == .continue else {
      throw OnePassError.messagesLost(address, count: lost, after: place.last)
    }
    pass(partition, lost, kept)
  }

  /// Moves the place of a partition to the first message that is left.
  private func pass(_ partition: Int, _ lost: Int, _ kept: KeptMessages) {
    lostCount += lost
    places[partition] = kept.start ?? places[partition]
    report.choose(
      "what to do about \(lost) messages that were removed before they were read", taken: "continue",
      others: ["stop"])
  }

  private func passGaps() throws -> Bool {
    var isPassed = false
    for (partition, place) in places.enumerated() {
      let kept = try reader.kept(partition)
      guard let place, let lost = kept.lost(after: place), lost > 0 else { continue }
      pass(partition, lost, kept)
      queues.clear(partition)
      try reader.seek(partition, after: places[partition])
      isPassed = true
    }
    return isPassed
  }

  /// Compares the messages before the place with those that were read, as far as they are still there.
  private func recognise(_ known: [StreamMark.Known], _ kept: KeptMessages) throws {
    guard let first = known.first, let last = known.last else { return }
    // Without its index, since what was removed before it is not missing.
    var before = first.before.map { PartitionPlace($0.last) }
    if let start = kept.start, let place = before, place.last < start.last, !start.last.isDouble {
      before = start
    }
    try reader.seek(first.partition, after: before)
    let digests = Dictionary(uniqueKeysWithValues: known.map { ($0.offset, $0.digest) })
    let end = ContinuousClock.now + .seconds(options.broker.patience)
    while .now < end {
      switch try reader.poll(first.partition, seconds: 1) {
      case .end: return
      case .nothing: continue
      case .messages(let messages):
        for message in messages {
          guard message.offset <= last.offset else { return }
          guard digests[message.offset].map({ $0 == digest(message) }) ?? true else {
            throw OnePassError.otherStream(specification, at: "\(message.offset)")
          }
        }
        if let offset = messages.last?.offset, offset >= last.offset { return }
      }
    }
  }
}

extension KeptMessages {
  /// The place from which everything that is left is read; `nil` at the start of a stream that has lost nothing.
  fileprivate var start: PartitionPlace? {
    guard let offset = first ?? newest else { return nil }
    if offset.isDouble { return PartitionPlace(BrokerOffset(0, 0), index: removed) }
    guard first != nil else { return PartitionPlace(offset) }
    return offset.major > 0 ? PartitionPlace(BrokerOffset(offset.major - 1)) : nil
  }
}
