import Foundation
import OnePassCore

/// Reads a stream of JetStream, which has one partition.
///
/// Offsets are the stream's sequences. It starts an unnamed consumer without acknowledgements from its own place, so nothing is
/// redelivered. A gap in the sequences is a deleted message, unless the stream starts only after it. After a loss of the connection
/// it starts at the last message again, which the server must still have.
final class NATSReader: BrokerReader {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private let connection: Reconnecting<NATSConnection>
  private let monitor: NATSMonitor
  private let backlog: BackgroundValue<NATSBacklog>
  /// The time of the stream's creation.
  private let created: String
  private var fetch: NATSFetch?
  /// The last message that was polled; `nil` at the start.
  private var last: UInt64?
  /// Recognises the last message; `nil` before one was polled.
  private var mark: MessageMark?
  /// Whether the next message should be the last one that was polled.
  private var isVerifying = false
  /// The error of the next poll.
  private var failure: OnePassError?

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    let properties = try ConnectionProperties(address, settings, others: ["credentials"])
    let open = { try NATSConnection(address, properties, name: settings.group) }
    (self.address, self.settings) = (address, settings)
    let connection = try Reconnecting(address, patience: settings.patience, open: open)
    self.connection = connection
    let monitor = NATSMonitor(address, group: settings.group, open: open)
    self.monitor = monitor
    backlog = BackgroundValue(every: 1) { monitor.backlog() }
    let info = try connection.use { try JetStream(connection: $0).streamInfo() }
    created = info.created
    if let retention = info.config.retention, retention != "limits" {
      throw OnePassError.consumedStream(address, retention: retention)
    }
  }

  func partitionCount() throws -> Int {
    _ = try connection.use(info)
    return 1
  }

  func kept(_ partition: Int) throws -> KeptMessages { try Self.messages(of: connection.use(info)) }

  func seek(_ partition: Int, after place: PartitionPlace?) throws {
    if fetch != nil { connection.close() }
    (last, fetch, failure) = (place?.last.major, nil, nil)
    (mark, isVerifying) = (nil, false)
    _ = lag(after: place, in: partition)
  }

  func poll(_ partition: Int, seconds: Double) throws -> PolledMessages {
    if let failure { throw failure }
    let deadline = ContinuousClock.now + .seconds(seconds)
    let result = try connection.use(until: deadline) { try poll($0, until: deadline) }
    if case .messages(let messages)? = result, let newest = messages.last {
      (last, mark) = (newest.offset.major, MessageMark(newest))
    }
    return result ?? .nothing
  }

  func confirm(_ places: [PartitionPlace?]) -> String? { monitor.confirm(places.first ?? nil) }

  func lag(after place: PartitionPlace?, in partition: Int) -> Int? {
    let next = (place?.last.major ?? 0) + 1
    monitor.count(from: next)
    return backlog.latest?.lag(from: next)
  }

  func close() {
    fetch = nil
    connection.close()
    monitor.close()
  }

  /// What the stream has.
  /// - Throws: `OnePassError` (`io`) if it was deleted or made again.
  private func info(_ connection: NATSConnection) throws -> JetStream.StreamInfo {
    do {
      let info = try JetStream(connection: connection).streamInfo()
      if info.created == created { return info }
    } catch let error as OnePassError where error.code == .notFound {}
    throw OnePassError.streamDisappeared(address, "stream")
  }

  private static func messages(of info: JetStream.StreamInfo) -> KeptMessages {
    KeptMessages(
      first: info.state.messages == 0 ? nil : BrokerOffset(info.state.firstSeq),
      // Sequences start at 1, so 0 is before the first message.
      newest: BrokerOffset(info.state.lastSeq))
  }

  private func poll(_ connection: NATSConnection, until deadline: ContinuousClock.Instant) throws
    -> PolledMessages
  {
    let fetch = try currentFetch(on: connection)
    let polled = try take(from: fetch, until: deadline)
    if let first = polled.firstGap { try checkNothingLost(after: first, on: connection) }
    if !polled.messages.isEmpty { return .messages(polled.messages) }
    if let failure { throw failure }
    if fetch.pending == 0 { return .end }
    // Pending messages may have been removed.
    let info = try info(connection)
    if let last { try checkNothingLost(after: last, info) }
    let isAtEnd = info.state.lastSeq <= last ?? 0 && !isVerifying
    return isAtEnd || info.state.messages == 0 ? .end : .nothing
  }

  /// The consumer of a connection, which is started again at the last polled message on a new one.
  private func currentFetch(on connection: NATSConnection) throws -> NATSFetch {
    if let fetch, fetch.connection === connection { return fetch }
    let info = try info(connection)
    let kept = Self.messages(of: info)
    if let last = last.map({ BrokerOffset($0) }), kept.contradicts(PartitionPlace(last)) {
      throw OnePassError.isOtherStream(address, kept, place: last)
    }
    isVerifying = mark != nil
    let start = (last ?? 0) + (isVerifying ? 0 : 1)
    let started = try NATSFetch(connection, from: start, fetchBytes: settings.fetchBytes)
    fetch = started
    return started
  }

  /// Waits for a message, and takes those that have arrived after it.
  private func take(from fetch: NATSFetch, until deadline: ContinuousClock.Instant) throws
    -> (messages: [BrokerMessage], firstGap: UInt64?)
  {
    var (messages, bytes, firstGap) = ([BrokerMessage](), 0, UInt64?.none)
    var place = last
    while bytes < settings.polledBytes, messages.count < BrokerSettings.polledMessages {
      let wait = messages.isEmpty ? deadline.secondsLeft : 0
      guard let delivery = try fetch.next(milliseconds: Int64(wait * 1_000)) else { break }
      let message = decode(delivery)
      if try isKnown(message) { continue }
      let sequence = delivery.subject.stream
      if let place, sequence != place + 1, firstGap == nil { firstGap = place }
      if message.byteCount > settings.messageBytes {
        failure = .messageTooLarge(
          address, at: "\(sequence)", bytes: message.byteCount, limit: settings.messageBytes)
        break
      }
      place = sequence
      bytes += message.byteCount
      messages.append(message)
    }
    return (messages, firstGap)
  }

  /// Compares the last message with what the server has now in its place.
  /// - Returns: Whether the message was polled already.
  private func isKnown(_ message: BrokerMessage) throws -> Bool {
    guard isVerifying else { return false }
    isVerifying = false
    // A later one: the last message was deleted.
    guard message.offset.major == last else { return false }
    guard MessageMark(message) == mark else {
      throw OnePassError.messageReplaced(address, place: message.offset)
    }
    return true
  }

  private func decode(_ delivery: borrowing NATSFetch.Delivery) -> BrokerMessage {
    var message = BrokerMessage(offset: BrokerOffset(delivery.subject.stream), body: delivery.message.body)
    for (name, value) in delivery.message.headers() {
      let header = NATSHeaders.decode(name, value)
      if header.name == NATSHeaders.keyName, message.key == nil {
        message.key = header.value
      } else {
        message.headers.append(header)
      }
    }
    return message
  }

  private func checkNothingLost(after sequence: UInt64, on connection: NATSConnection) throws {
    try checkNothingLost(after: sequence, info(connection))
  }

  private func checkNothingLost(after sequence: UInt64, _ info: JetStream.StreamInfo) throws {
    let lost = Self.messages(of: info).lost(after: PartitionPlace(BrokerOffset(sequence))) ?? 0
    if lost > 0 { throw OnePassError.messagesLost(address, count: lost, after: BrokerOffset(sequence)) }
  }
}
