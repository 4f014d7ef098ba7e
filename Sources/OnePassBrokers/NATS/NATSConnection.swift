import CBrokers
import Foundation
import OnePassCore

/// A connection to a NATS server, which does not reconnect by itself.
///
/// After a restart of the server its consumers are gone, so readers start again from their own place in any case.
final class NATSConnection {
  let library: UnsafePointer<CBNATS>
  let address: BrokerAddress
  let pointer: UnsafeMutableRawPointer
  private var subscriptions: [UnsafeMutableRawPointer] = []
  /// The inbox of the answers to requests.
  private var answers: (inbox: String, subscription: UnsafeMutableRawPointer)?
  /// Whether a request had no answer, which may arrive later and would be mistaken for that of the next one.
  private var hasMissedAnswer = false

  /// - Throws: `ConnectionLost` if no server can be reached, `OnePassError` for anything else.
  init(_ address: BrokerAddress, _ properties: ConnectionProperties, name: String) throws {
    self.address = address
    if address.stream.contains(where: { ". *>/\\".contains($0) || $0.isWhitespace }) {
      throw OnePassError.invalidStreamName(address)
    }
    var reason: UnsafePointer<CChar>?
    guard let library = cb_nats(&reason) else {
      throw OnePassError.noClientLibrary(
        address, "nats.c", package: "libnats3.4", reason: reason.map { String(cString: $0) } ?? "")
    }
    self.library = library
    let options = try NATSOptions(library, address, properties, name: name)
    var connection: UnsafeMutableRawPointer?
    let status = library.pointee.natsConnection_Connect(&connection, options.pointer)
    guard Int(status) == cb_nats_ok, let connection else {
      throw Self.failure(Int(status), library, address)
    }
    pointer = connection
  }

  /// Closing ends the library's thread that reads. That thread uses a subscription after it was destroyed (nats.c up to 3.5.0,
  /// its pull request 638), so subscriptions are destroyed only then.
  deinit {
    library.pointee.natsConnection_Close(pointer)
    for subscription in subscriptions { library.pointee.natsSubscription_Destroy(subscription) }
    library.pointee.natsConnection_Destroy(pointer)
  }

  /// Subscribes to a new inbox, until the connection ends.
  func subscribe() throws -> (inbox: String, subscription: UnsafeMutableRawPointer) {
    var name: UnsafeMutablePointer<CChar>?
    _ = library.pointee.natsInbox_Create(&name)
    guard let name else { throw ConnectionLost(reason: "out of memory") }
    defer { library.pointee.natsInbox_Destroy(name) }
    var subscription: UnsafeMutableRawPointer?
    let status = library.pointee.natsConnection_SubscribeSync(&subscription, pointer, name)
    guard let subscription else { throw failure(Int(status)) }
    subscriptions.append(subscription)
    return (String(cString: name), subscription)
  }

  /// Sends a request of JetStream's interface and returns the answer.
  ///
  /// natsConnection_Request would destroy a subscription while the library's thread may use it.
  /// - Throws: `ConnectionLost` if there is none in time. The connection then takes no further requests.
  func request(_ subject: String, _ body: [UInt8], seconds: Double = 5) throws -> Data {
    if hasMissedAnswer { throw ConnectionLost(reason: "an answer is missing") }
    let answers = try self.answers ?? subscribe()
    self.answers = answers
    hasMissedAnswer = true
    let sent = library.pointee.natsConnection_PublishRequest(
      pointer, subject, answers.inbox, body, Int32(body.count))
    guard Int(sent) == cb_nats_ok else { throw failure(Int(sent)) }
    var answer: UnsafeMutableRawPointer?
    let status = library.pointee.natsSubscription_NextMsg(
      &answer, answers.subscription, Int64(seconds * 1_000))
    guard let answer else { throw failure(Int(status)) }
    let message = NATSMessage(answer, library)
    hasMissedAnswer = false
    if message.isNoResponders { throw failure(cb_nats_no_responders) }
    return Data(message.body)
  }

  /// The error of a status: the last words of the server explain a missing answer.
  func failure(_ status: Int) -> any Error {
    var text: UnsafePointer<CChar>?
    _ = library.pointee.natsConnection_GetLastError(pointer, &text)
    let words = text.map { String(cString: $0) } ?? ""
    if words.lowercased().contains("permissions violation") {
      return OnePassError.brokerDenied(address, reason: words)
    }
    if status == cb_nats_no_responders {
      return ConnectionLost(reason: "JetStream does not answer; is it enabled?")
    }
    return ConnectionLost(reason: words.isEmpty ? Self.text(status, library) : words)
  }

  private static func failure(_ status: Int, _ library: UnsafePointer<CBNATS>, _ address: BrokerAddress)
    -> any Error
  {
    let words = library.pointee.nats_GetLastError(nil).map { String(cString: $0) } ?? ""
    let reason = words.isEmpty ? text(status, library) : words
    switch status {
    case cb_nats_auth_failed, cb_nats_not_permitted, cb_nats_ssl_error, cb_nats_secure_wanted,
      cb_nats_secure_required:
      return OnePassError.brokerDenied(address, reason: reason)
    default: return ConnectionLost(reason: reason)
    }
  }

  private static func text(_ status: Int, _ library: UnsafePointer<CBNATS>) -> String {
    library.pointee.natsStatus_GetText(Int32(status)).map { String(cString: $0) } ?? "status \(status)"
  }
}
