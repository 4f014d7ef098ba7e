import CBrokers
import Foundation
import OnePassCore

/// A connection to RabbitMQ with one channel. It is used by one thread at a time.
final class AMQPConnection {
  let library: UnsafePointer<CBRabbitMQ>
  let address: BrokerAddress
  let pointer: UnsafeMutableRawPointer
  /// Whether the connection can be closed by the protocol: it works, and no messages are under way, which would be read first.
  var isClosable = false

  static let channel: UInt16 = 1
  /// The largest frame, which the library allocates.
  private static let frameBytes: Int32 = 131_072

  /// - Parameters:
  ///   - heartbeat: The number of seconds between signs of life. Their absence ends the connection.
  ///   - seconds: The longest wait for an answer.
  /// - Throws: `ConnectionLost` if the server cannot be reached, `OnePassError` for anything else.
  init(_ address: BrokerAddress, _ properties: ConnectionProperties, heartbeat: Int = 30, seconds: Double = 5)
    throws
  {
    self.address = address
    var reason: UnsafePointer<CChar>?
    guard let library = cb_rabbitmq(&reason), let pointer = library.pointee.amqp_new_connection() else {
      throw OnePassError.noClientLibrary(
        address, "librabbitmq", package: "librabbitmq4", reason: reason.map { String(cString: $0) } ?? "")
    }
    (self.library, self.pointer) = (library, pointer)
    try open(properties, seconds: seconds)
    try check(
      cb_rabbitmq_login(
        library, pointer, Self.frameBytes, Int32(heartbeat), properties.user ?? "guest",
        properties.password ?? "guest"))
    _ = library.pointee.amqp_channel_open(pointer, Self.channel)
    try check()
    isClosable = true
  }

  deinit {
    if isClosable {
      var limit = timeval(1)
      _ = library.pointee.amqp_set_rpc_timeout(pointer, &limit)
      _ = library.pointee.amqp_connection_close(pointer, Int32(cb_amqp_success))
    }
    _ = library.pointee.amqp_destroy_connection(pointer)
  }

  private func open(_ properties: ConnectionProperties, seconds: Double) throws {
    let functions = library.pointee
    var limit = timeval(seconds)
    _ = functions.amqp_set_handshake_timeout(pointer, &limit)
    _ = functions.amqp_set_rpc_timeout(pointer, &limit)
    let socket =
      address.isSecure ? functions.amqp_ssl_socket_new(pointer) : functions.amqp_tcp_socket_new(pointer)
    if address.isSecure { try setCertificates(of: socket, properties) }
    let server = address.servers[0]
    let status = functions.amqp_socket_open_noblock(socket, server.host, Int32(server.port), &limit)
    switch Int(status) {
    case 0: break
    case cb_amqp_wrong_host, cb_amqp_wrong_certificate:
      throw OnePassError.brokerDenied(address, reason: text(status))
    default: throw ConnectionLost(reason: text(status))
    }
  }

  private func setCertificates(of socket: UnsafeMutableRawPointer?, _ properties: ConnectionProperties) throws
  {
    // The library trusts no authority by default.
    let files = ["/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"]
    let system = files.first { access($0, R_OK) == 0 }
    if let ca = properties.ca ?? system, library.pointee.amqp_ssl_socket_set_cacert(socket, ca) != 0 {
      throw OnePassError.invalidBrokerProperty("ca", reason: "\(ca) cannot be read, or has no certificates")
    }
    if let certificate = properties.certificate, let key = properties.key,
      library.pointee.amqp_ssl_socket_set_key(socket, certificate, key) != 0
    {
      throw OnePassError.invalidBrokerProperty(
        "certificate", reason: "\(certificate) and \(key) cannot be read, or do not belong together")
    }
  }

  // MARK: Results

  /// Throws the error of the last call that waited for an answer.
  func check() throws { try check(library.pointee.amqp_get_rpc_reply(pointer)) }

  func check(_ reply: CBAMQPReply) throws {
    if Int(reply.type) == cb_amqp_normal { return }
    isClosable = false
    switch Int(reply.type) {
    case cb_amqp_server_error:
      let content = reply.method.content?.assumingMemoryBound(to: CBAMQPClose.self).pointee
      throw failure(
        Int(content?.code ?? 0), content.map { String(decoding: $0.text.bytes, as: UTF8.self) } ?? "")
    default: throw ConnectionLost(reason: text(reply.library_error))
    }
  }

  func check(_ status: Int32) throws {
    guard status < 0 else { return }
    isClosable = false
    throw ConnectionLost(reason: text(status))
  }

  /// The error of a reply code and text of the server.
  func failure(_ code: Int, _ text: String) -> any Error {
    switch code {
    case 403: OnePassError.brokerDenied(address, reason: text)
    case 404 where text.contains("no queue"): OnePassError.noSuchStream(address, "queue")
    // The channel was closed because messages were not acknowledged for long (consumer_timeout).
    case 406 where text.contains("timed out"): ConnectionLost(reason: text)
    case 406: OnePassError.isNoStreamQueue(address, reason: text)
    // A server that ends or starts.
    case 320, 404, 541, 0: ConnectionLost(reason: text)
    default: OnePassError.brokerFailed(address, reason: "\(text) (\(code))")
    }
  }

  private func text(_ status: Int32) -> String {
    library.pointee.amqp_error_string2(status).map { String(cString: $0) } ?? "error \(status)"
  }

  // MARK: Frames

  /// Waits for a frame that is not a message.
  /// - Throws: The error with which the server has closed the channel or the connection.
  func method(seconds: Double) throws -> (id: Int, content: UnsafeMutableRawPointer?)? {
    var frame = CBAMQPFrame()
    var limit = timeval(seconds)
    let status = library.pointee.amqp_simple_wait_frame_noblock(pointer, &frame, &limit)
    if Int(status) == cb_amqp_timeout { return nil }
    try check(status)
    guard Int(frame.type) == cb_amqp_frame_method else { return nil }
    let id = Int(frame.method.id)
    if id == cb_amqp_channel_close || id == cb_amqp_connection_close {
      try check(
        CBAMQPReply(
          type: Int32(cb_amqp_server_error), method: frame.method, library_error: 0))
    }
    return (id, frame.method.content)
  }
}

extension timeval {
  init(_ seconds: Double) {
    let microseconds = Int(max(0, seconds) * 1e6)
    self.init(tv_sec: microseconds / 1_000_000, tv_usec: .init(microseconds % 1_000_000))
  }
}

extension CBAMQPBytes {
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
