import CBrokers
import Foundation
import OnePassCore

/// Publishes to a stream of JetStream, with many messages in flight.
final class NATSWriter: BrokerWriter {
  private let address: BrokerAddress
  private let settings: BrokerSettings
  private var connection: NATSConnection?
  private let acknowledgements: UnsafeMutableRawPointer
  private let inbox: String
  private let subject: String
  /// The sizes of the messages in flight, the oldest first, from index ``acknowledged``.
  private var sizes: [Int] = []
  private var acknowledged = 0
  private var bytesInFlight = 0

  private static let messagesInFlight = 1_024
  private static let acknowledgementSeconds = 10.0

  init(_ address: BrokerAddress, _ settings: BrokerSettings) throws {
    let properties = try ConnectionProperties(address, settings, others: ["credentials"])
    (self.address, self.settings) = (address, settings)
    do {
      let connection = try NATSConnection(address, properties, name: settings.group)
      self.connection = connection
      subject = try Self.subject(of: connection)
      (inbox, acknowledgements) = try connection.subscribe()
    } catch let lost as ConnectionLost {
      throw OnePassError.brokerUnreachable(address, reason: lost.reason)
    }
  }

  /// The subject of the stream, which is created if it does not exist.
  private static func subject(of connection: NATSConnection) throws -> String {
    let (stream, address) = (JetStream(connection: connection), connection.address)
    let info: JetStream.StreamInfo
    do {
      info = try stream.streamInfo()
    } catch let error as OnePassError where error.code == .notFound {
      info = try stream.createStream()
    }
    let subjects = info.config.subjects ?? []
    if subjects.contains(address.stream) { return address.stream }
    guard let plain = subjects.first(where: { !$0.contains("*") && !$0.contains(">") }) else {
      throw OnePassError.noPlainSubject(address)
    }
    return plain
  }

  func send(_ message: BrokerMessage) throws {
    let size = message.byteCount
    while sizes.count - acknowledged >= Self.messagesInFlight
      || bytesInFlight > 0 && bytesInFlight + size > settings.fetchBytes
    {
      try awaitAcknowledgement()
    }
    try publish(message)
    sizes.append(size)
    bytesInFlight += size
  }

  func flush() throws {
    while sizes.count > acknowledged { try awaitAcknowledgement() }
  }

  func close() { connection = nil }

  private func publish(_ message: BrokerMessage) throws {
    guard let connection else {
      throw OnePassError.brokerUnreachable(address, reason: "the writer is closed")
    }
    let library = connection.library.pointee
    var pointer: UnsafeMutableRawPointer?
    let created = message.body.withUnsafeBytes {
      library.natsMsg_Create(
        &pointer, subject, inbox, $0.baseAddress?.assumingMemoryBound(to: CChar.self), Int32($0.count))
    }
    guard let pointer else { throw lost(Int(created)) }
    defer { library.natsMsg_Destroy(pointer) }
    let key = message.key.map { [BrokerHeader(NATSHeaders.keyName, $0)] } ?? []
    for header in key + message.headers {
      guard NATSHeaders.isValid(name: header.name) else {
        throw OnePassError.invalidHeader(address, header.name)
      }
      let (name, value) = NATSHeaders.encode(header)
      _ = library.natsMsgHeader_Add(pointer, name, value)
    }
    let status = Int(library.natsConnection_PublishMsg(connection.pointer, pointer))
    if status == cb_nats_max_payload {
      throw OnePassError.messageRefused(
        address, bytes: message.byteCount, reason: "it exceeds max_payload of the server")
    }
    if status != cb_nats_ok { throw lost(status) }
  }

  /// Waits for the oldest acknowledgement; the server sends them in the order of the messages.
  private func awaitAcknowledgement() throws {
    guard let connection else {
      throw OnePassError.brokerUnreachable(address, reason: "the writer is closed")
    }
    var pointer: UnsafeMutableRawPointer?
    let status = connection.library.pointee.natsSubscription_NextMsg(
      &pointer, acknowledgements, Int64(Self.acknowledgementSeconds * 1_000))
    let size = sizes[acknowledged]
    let reason: String?
    if let pointer {
      reason = Self.refusal(NATSMessage(pointer, connection.library))
    } else if Int(status) == cb_nats_no_responders {
      reason = Self.isDeleted
    } else {
      throw lost(Int(status))
    }
    if let reason {
      throw OnePassError.messageRefused(address, bytes: size, reason: reason)
    }
    bytesInFlight -= size
    acknowledged += 1
    if acknowledged == Self.messagesInFlight {
      sizes.removeFirst(acknowledged)
      acknowledged = 0
    }
  }

  private static let isDeleted = "the stream was deleted"

  /// The error in an acknowledgement.
  private static func refusal(_ message: borrowing NATSMessage) -> String? {
    if message.isNoResponders { return isDeleted }
    struct Answer: Decodable {
      struct Failure: Decodable { let description: String? }
      let error: Failure?
    }
    guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(message.body)) else {
      return "unknown answer"
    }
    return answer.error.map { $0.description ?? "unknown error" }
  }

  private func lost(_ status: Int) -> OnePassError {
    let error = connection?.failure(status)
    return error as? OnePassError
      ?? .unacknowledged(
        address, sizes.count - acknowledged, reason: (error as? ConnectionLost)?.reason ?? "closed")
  }
}
