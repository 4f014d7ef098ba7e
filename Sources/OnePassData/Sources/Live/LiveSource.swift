import Foundation
import OnePassBrokers
import OnePassCore

/// A stream of a broker: Kafka, Redis, NATS or RabbitMQ.
///
/// Its place is a ``StreamMark``, which a checkpoint saves with the weights and the memory. A resumed run seeks to that place,
/// whatever the broker has recorded, so that each message is trained once.
package final class LiveSource: ExampleSource {
  let address: BrokerAddress
  let options: LiveOptions
  let reader: any BrokerReader
  let queues: PartitionQueues
  private let mapping: MessageMapping
  private let request: SourceRequest

  package internal(set) var position = 0
  package internal(set) var report = SourceReport()
  /// The last message of each partition that was taken.
  var places: [PartitionPlace?] = []
  /// The rest of a message with several examples.
  private var rest: ArraySlice<LabelledImage> = []
  private var current: (known: StreamMark.Known, place: PartitionPlace, count: Int)?
  /// The first message, if an earlier process has delivered some of its examples.
  var begun: StreamMark.Begun?
  var prepared: (mark: StreamMark, position: Int)?
  private var order: MessageOrder?
  private var orderPath: String?
  private var lastGrowth = ContinuousClock.now
  /// The numbers of messages that were taken, and of those that held no example.
  var (messageCount, rejectedCount) = (0, 0)
  /// What the thread that saves the run reads.
  let shared = SharedMarks()

  /// Connects to a broker.
  /// - Throws: As ``BrokerAddress/openReader(_:)``; `usage` if the label key does not fit the form of the messages.
  convenience init(_ address: BrokerAddress, _ options: LiveOptions, _ request: SourceRequest) throws {
    let mapping = try MessageMapping(options.form, request)
    try self.init(address.openReader(options.broker), of: address, mapping, options, request)
  }

  /// A stream that a reader of another module delivers.
  package convenience init(
    _ reader: any BrokerReader, of address: BrokerAddress, _ options: LiveOptions, _ request: SourceRequest
  ) throws {
    try self.init(reader, of: address, MessageMapping(options.form, request), options, request)
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

  /// Adds what an earlier process has reported.
  package func restore(report earlier: SourceReport) {
    let now = report
    report = earlier
    report.add(now)
  }

  /// The partition and offset of an example that is not settled.
  package func location(of id: Int) -> String? {
    shared.message(of: id).map { place(of: $0.partition, $0.offset) }
  }

  private func place(of partition: Int, _ offset: BrokerOffset) -> String {
    RejectedMessage.place(named(partition), "\(offset)")
  }

  /// The number of a partition; `nil` for a broker without partitions.
  private func named(_ partition: Int) -> Int? { address.kind == .kafka ? partition : nil }

  package func next() throws -> Example? {
    if queues.count == 0 { try begin() }
    while true {
      if let image = rest.popFirst() { return try deliver(image) }
      guard let message = try nextMessage() else { continue }
      try take(message)
    }
  }

  private func nextMessage() throws -> BrokerMessage? {
    if .now - lastGrowth > .seconds(5) {
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

  /// Lets the next message look for partitions that were added.
  func expireGrowth() { lastGrowth = .now - .seconds(60) }

  private func growIfNeeded() throws {
    let count = try reader.partitionCount()
    for partition in places.count..<max(places.count, count) { try open(partition, after: nil) }
    if order == nil { try startOrder() }
  }

  private func take(_ message: BrokerMessage) throws {
    let known = StreamMark.Known(
      partition: message.partition, before: places[message.partition], offset: message.offset,
      digest: address.kind == .inbox ? 0 : message.digest)
    let place = PartitionPlace(message.offset, index: message.index)
    places[message.partition] = place
    messageCount += 1
    let delivered = try delivered(of: known)
    do {
      let examples = try mapping.examples(in: message, reporting: &report)
      current = (known, place, examples.count)
      rest = examples[...].dropFirst(delivered)
      let waiting = examples.count > 1 ? rest.reduce(0) { $0 + $1.image.byteCount } : 0
      shared.note(bytes: max(queues.peakBytes, queues.bytes + waiting))
    } catch let problem as MessageProblem { try reject(message, problem) }
  }

  /// The number of examples of a message that an earlier process has delivered.
  /// - Throws: `OnePassError` (`badData`) if it is another message now.
  private func delivered(of message: StreamMark.Known) throws -> Int {
    guard let begun, begun.message.partition == message.partition else { return 0 }
    self.begun = nil
    guard begun.message.offset == message.offset else {
      report.leaveOut(
        "rest of a message that was removed", example: place(of: message.partition, begun.message.offset))
      return 0
    }
    guard begun.message.digest == message.digest else {
      throw OnePassError.otherStream(specification, at: "\(message.offset)")
    }
    return begun.examples
  }

  private func deliver(_ image: LabelledImage) throws -> Example {
    guard let (known, place, count) = current else { preconditionFailure("An example must have a message.") }
    try order?.record(known.partition)
    shared.note(known, place, begun: rest.isEmpty ? 0 : count - rest.count)
    defer { position += 1 }
    return Example(id: position, image)
  }

  private func reject(_ message: BrokerMessage, _ problem: MessageProblem) throws {
    let name = place(of: message.partition, message.offset)
    report.leaveOut(LeftOutReason(rawValue: problem.kind), example: name)
    rejectedCount += 1
    shared.reject(
      RejectedMessage(
        partition: named(message.partition), offset: "\(message.offset)",
        position: position, reason: problem.text),
      in: message.partition, to: places[message.partition])
    guard messageCount >= Self.smallestSample,
      Double(rejectedCount) > options.rejectedLimit * Double(messageCount)
    else { return }
    throw OnePassError.tooManyRejected(
      rejectedCount, of: messageCount, in: specification, limit: options.rejectedLimit,
      last: "\(name): \(problem.text)")
  }

  /// The share of rejected messages is not tested on fewer messages.
  private static let smallestSample = 100

  /// Opens the recorded order of partitions; see `MessageOrder`.
  /// - Parameter path: Its file.
  package func recordOrder(in path: String) throws {
    if queues.count == 0 { try begin() }
    orderPath = path
    try startOrder()
  }

  /// One partition has an order without a record.
  private func startOrder() throws {
    guard let orderPath, queues.count > 1 else { return }
    order = try MessageOrder(orderPath, at: position)
  }
}
