import OnePassCore

extension OnePassError.Code {
  /// A server refused a name, a password or a certificate. Exit status 77.
  package static let denied = OnePassError.Code("denied", exitStatus: 77)
  /// A stream, topic or server name that does not exist. Exit status 68.
  package static let notFound = OnePassError.Code("notFound", exitStatus: 68)
}

extension OnePassError {
  private static func shown(_ text: String) -> String { URLText(text).withoutSecrets }

  // MARK: Addresses

  static func isNoBroker(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(shown(text)): not the URL of a stream; write kafka://HOST:PORT/TOPIC, redis://HOST:PORT/STREAM, "
        + "nats://HOST:PORT/STREAM or amqp://HOST:PORT/STREAM.")
  }

  static func ambiguousBroker(_ text: String) -> OnePassError {
    OnePassError(
      .usage, "\(shown(text)): percent-encode /, ?, # and @ in the user, the password and the stream's name.")
  }

  static func invalidBrokerCredentials(_ text: String) -> OnePassError {
    OnePassError(
      .usage,
      "\(shown(text)): the user or the password has an invalid percent-encoding; write % as %25.")
  }

  static func noBrokerStream(_ text: String, _ kind: BrokerKind) -> OnePassError {
    OnePassError(
      .usage,
      "\(shown(text)): has no \(kind == .kafka ? "topic" : "stream"); write \(kind.rawValue)://HOST:PORT/"
        + (kind == .kafka ? "TOPIC." : "STREAM."))
  }

  static func severalBrokerServers(_ text: String) -> OnePassError {
    OnePassError(
      .usage, "\(shown(text)): several servers are possible for kafka:// and nats:// only; pass one.")
  }

  // MARK: Client libraries

  /// - Parameters:
  ///   - library: Its name, as `librdkafka`.
  ///   - package: Debian's package.
  static func noClientLibrary(_ address: BrokerAddress, _ library: String, package: String, reason: String)
    -> OnePassError
  {
    OnePassError(
      .unavailable,
      "\(address): \(library) cannot be loaded (\(reason)); install it, on Debian with: apt-get install \(package)."
    )
  }

  static func unknownBrokerProperty(_ name: String, of kind: BrokerKind, known: [String]) -> OnePassError {
    OnePassError(
      .usage,
      "--broker-config: \(kind.rawValue) has no property \(name); use \(known.joined(separator: ", ")).")
  }

  /// - Parameter reason: What the library said of the value, without secrets.
  static func invalidBrokerProperty(_ name: String, reason: String) -> OnePassError {
    OnePassError(.usage, "--broker-config: \(name): \(reason).")
  }

  // MARK: Connections

  package static func brokerUnreachable(_ address: BrokerAddress, reason: String) -> OnePassError {
    OnePassError(.io, "\(address): cannot be reached (\(reason)); check the server and the network.")
  }

  static func brokerDenied(_ address: BrokerAddress, reason: String) -> OnePassError {
    OnePassError(
      .denied, "\(address): access denied (\(reason)); check the user, the password and their permissions.")
  }

  static func inboxOfService(_ address: BrokerAddress) -> OnePassError {
    OnePassError(.usage, "\(address): is the queue of a service, which only `onepass serve` reads.")
  }

  /// - Parameter noun: `topic`, `stream`, `queue`.
  static func noSuchStream(_ address: BrokerAddress, _ noun: String) -> OnePassError {
    OnePassError(
      .notFound, "\(address): there is no such \(noun); create it, or fill it with `onepass send`.")
  }

  static func streamDisappeared(_ address: BrokerAddress, _ noun: String) -> OnePassError {
    OnePassError(
      .io, "\(address): the \(noun) was deleted while it was read; restore it, and continue with --resume.")
  }

  /// - Parameter reason: The words of the broker or of its library.
  static func brokerFailed(_ address: BrokerAddress, reason: String) -> OnePassError {
    OnePassError(.io, "\(address): \(reason); check the server, then continue with --resume.")
  }

  static func messageTooLarge(_ address: BrokerAddress, at offset: String, bytes: Int, limit: Int)
    -> OnePassError
  {
    OnePassError(
      .badData,
      "\(address): the message at \(offset) has \(bytes) bytes (at most \(limit) are allowed); "
        + "raise --message-limit.")
  }

  static func messageRefused(_ address: BrokerAddress, bytes: Int, reason: String) -> OnePassError {
    OnePassError(.io, "\(address): a message of \(bytes) bytes was not accepted (\(reason)).")
  }

  // MARK: Another stream than before

  /// - Parameter place: The last message that was read.
  package static func streamWentBack(_ address: BrokerAddress, place: BrokerOffset, newest: BrokerOffset?)
    -> OnePassError
  {
    if let newest, newest > place {
      return OnePassError(
        .badData,
        "\(address): this stream has fewer messages than were read, up to \(place); it was created again, so it cannot "
          + "be continued.")
    }
    return OnePassError(
      .badData,
      "\(address): the stream ends at \(newest?.description ?? "its start"), before \(place), which was read; "
        + "its server lost messages or the stream was created again, so it cannot be continued.")
  }

  /// - Parameter place: The last message that was read.
  static func messageReplaced(_ address: BrokerAddress, place: BrokerOffset) -> OnePassError {
    OnePassError(
      .badData,
      "\(address): the message at \(place) is not the one that was read; "
        + "its server lost messages or the stream was created again, so it cannot be continued.")
  }

  /// The error of a place that a stream contradicts; see ``KeptMessages/contradicts(_:)``.
  static func isOtherStream(_ address: BrokerAddress, _ kept: KeptMessages, place: BrokerOffset)
    -> OnePassError
  {
    place > kept.newest ?? BrokerOffset(0, 0)
      ? .streamWentBack(address, place: place, newest: kept.newest) : .messageReplaced(address, place: place)
  }

  /// - Parameters:
  ///   - count: The number of messages.
  ///   - place: The last message that was read.
  package static func messagesLost(_ address: BrokerAddress, count: Int, after place: BrokerOffset?)
    -> OnePassError
  {
    OnePassError(
      .badData,
      "\(address): \(count) messages \(place.map { "after \($0)" } ?? "at the start") were removed before they were "
        + "read; keep messages for longer, "
        + "or pass --on-gap continue to train on what is left.")
  }
}
