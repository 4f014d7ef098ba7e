import CBrokers
import Foundation
import OnePassCore

/// A consumer without acknowledgements that starts at a sequence, and the messages that it delivers.
///
/// It requests messages of at most ``BrokerSettings/fetchBytes`` at a time. Any doubt about what was delivered is a `ConnectionLost`,
/// after which the reader starts again with a new connection and consumer.
final class NATSFetch {
  struct Delivery: ~Copyable {
    let message: NATSMessage
    let subject: DeliverySubject
  }

  let connection: NATSConnection
  /// The number of messages that were not delivered yet.
  private(set) var pending: UInt64 = 0
  private let subscription: UnsafeMutableRawPointer
  private let inbox: String
  private var nextSubject = ""
  private let fetchBytes: Int
  /// The number of messages that the consumer has delivered.
  private var delivered: UInt64 = 0
  /// The number of messages that the request still allows; `nil` without a request.
  private var allowed: Int?
  /// Whether the request has had a message.
  private var hadMessage = false
  /// Whether the next message is larger than ``fetchBytes``.
  private var isNextLarge = false
  private var expiry = ContinuousClock.now

  private static let requestSeconds = 30

  init(_ connection: NATSConnection, from sequence: UInt64, fetchBytes: Int) throws {
    self.connection = connection
    self.fetchBytes = fetchBytes
    (inbox, subscription) = try connection.subscribe()
    // The requests limit what is pending; the library would drop messages beyond its own limits.
    _ = connection.library.pointee.natsSubscription_SetPendingLimits(subscription, -1, -1)
    let consumer = try JetStream(connection: connection).createConsumer(
      .init(
        optStartSeq: max(1, sequence), ackPolicy: "none", inactiveThreshold: 300_000_000_000, memStorage: true
      ))
    pending = consumer.numPending
    nextSubject = "$JS.API.CONSUMER.MSG.NEXT.\(connection.address.stream).\(consumer.name)"
  }

  /// The next message; `nil` if none arrives in time.
  func next(milliseconds: Int64) throws -> Delivery? {
    while true {
      if allowed == nil { try request() }
      var pointer: UnsafeMutableRawPointer?
      let status = connection.library.pointee.natsSubscription_NextMsg(&pointer, subscription, milliseconds)
      guard let pointer else {
        guard Int(status) == cb_nats_timeout else { throw connection.failure(Int(status)) }
        if ContinuousClock.now > expiry {
          throw ConnectionLost(reason: "the server does not answer requests")
        }
        return nil
      }
      let message = NATSMessage(pointer, connection.library)
      if let subject = message.subject {
        try note(subject)
        return Delivery(message: message, subject: subject)
      }
      try endRequest(message)
    }
  }

  private func note(_ subject: DeliverySubject) throws {
    guard subject.consumer == delivered + 1 else {
      throw ConnectionLost(reason: "a message was not delivered")
    }
    (delivered, pending, hadMessage) = (subject.consumer, subject.pending, true)
    allowed = allowed.flatMap { $0 > 1 ? $0 - 1 : nil }
  }

  private func request() throws {
    struct Request: Encodable {
      let batch: Int
      let maxBytes: Int?
      let expires: Int
    }
    let batch = isNextLarge ? 1 : 16_384
    let request = Request(
      batch: batch, maxBytes: isNextLarge ? nil : fetchBytes, expires: Self.requestSeconds * 1_000_000_000)
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let body = Array(try encoder.encode(request))
    let status = connection.library.pointee.natsConnection_PublishRequest(
      connection.pointer, nextSubject, inbox, body, Int32(body.count))
    guard Int(status) == cb_nats_ok else { throw connection.failure(Int(status)) }
    (allowed, hadMessage, isNextLarge) = (batch, false, false)
    expiry = .now + .seconds(Self.requestSeconds + 5)
  }

  /// A message without a sequence ends the request: it has expired, or the next message would exceed its bytes.
  private func endRequest(_ message: borrowing NATSMessage) throws {
    let description = message.header("Description") ?? ""
    switch message.header("Status") {
    case "404", "408": break
    case "409" where description.contains("MaxBytes"): isNextLarge = !hadMessage
    case let status: throw ConnectionLost(reason: "\(description) (\(status ?? "unknown message"))")
    }
    allowed = nil
  }
}
