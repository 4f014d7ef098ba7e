import Foundation
import OnePassCore

/// The brokers that can be read and written.
package enum BrokerKind: String, CaseIterable, Sendable {
  case kafka, redis, nats, amqp
  /// The queue of a service, in files of this machine.
  case inbox

  package static let allCases: [BrokerKind] = [.kafka, .redis, .nats, .amqp]

  /// The port that a server without one has.
  var port: Int {
    switch self {
    case .inbox: 0
    case .kafka: 9_092
    case .redis: 6_379
    case .nats: 4_222
    case .amqp: 5_672
    }
  }

  /// The port of encrypted connections.
  var securePort: Int { self == .amqp ? 5_671 : self == .kafka ? 9_093 : port }
}

/// The URL of a stream of a broker, which prints without its secrets.
///
/// `kafka://HOST:PORT[,HOST:PORT…]/TOPIC`, `redis://HOST:PORT/STREAM`, `nats://HOST:PORT/STREAM`, `amqp://HOST:PORT/STREAM`; with TLS
/// `kafkas`, `rediss`, `natss` and `amqps`. A user and a password may precede the host.
///
/// ```
/// print(try BrokerAddress("redis://me:pw@localhost/photos"))  // redis://localhost:6379/photos
/// ```
package struct BrokerAddress: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  package struct Server: Hashable, Sendable {
    package let host: String
    package let port: Int

    /// `host:port`, with brackets around an IPv6 address.
    package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  package let kind: BrokerKind
  /// Whether the connection is encrypted, and the server's certificate checked.
  package let isSecure: Bool
  /// At least one server; more than one only for Kafka and NATS.
  package let servers: [Server]
  /// The topic, key, stream or queue.
  package let stream: String
  package let user: String?
  package let password: String?

  /// The schemes, with their kinds.
  package static let schemes: [String: (kind: BrokerKind, isSecure: Bool)] = Dictionary(
    uniqueKeysWithValues: BrokerKind.allCases.flatMap {
      [($0.rawValue, ($0, false)), ($0.rawValue + "s", ($0, true))]
    })

  /// Whether a text has the scheme of a broker.
  package static func isMeant(by text: String) -> Bool {
    scheme(of: text) != nil || text.hasPrefix("\(BrokerKind.inbox.rawValue):")
  }

  private static func scheme(of text: String) -> (kind: BrokerKind, isSecure: Bool)? {
    guard let end = text.firstRange(of: "://") else { return nil }
    return schemes[text[..<end.lowerBound].lowercased()]
  }

  /// The queue of a service.
  /// - Parameter path: Its folder.
  package init(inbox path: String) {
    (kind, isSecure, servers, stream) = (.inbox, false, [], path)
    (user, password) = (nil, nil)
  }

  /// Parses a URL. Percent-encoded characters of the user, the password and the stream are decoded.
  /// - Throws: `OnePassError` (`usage`) if it is not a broker's URL.
  package init(_ text: String) throws {
    guard let (kind, isSecure) = Self.scheme(of: text), let slashes = text.firstRange(of: "://") else {
      throw OnePassError.isNoBroker(text)
    }
    let parts = URLText(text)
    guard parts.isUnambiguous, !text.contains("?"), !text.contains("#") else {
      throw OnePassError.ambiguousBroker(text)
    }
    let userInfo = parts.firstUserInfo
    let rest = text[max(userInfo.upperBound, slashes.upperBound)...]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let stream = String(rest[slash...].dropFirst()).removingPercentEncoding ?? ""
    guard !stream.isEmpty else { throw OnePassError.noBrokerStream(text, kind) }
    (self.kind, self.isSecure, self.stream) = (kind, isSecure, stream)
    let port = isSecure ? kind.securePort : kind.port
    servers = try rest[..<slash].split(separator: ",", omittingEmptySubsequences: false).map {
      guard let server = Self.server($0, port: port) else { throw OnePassError.isNoBroker(text) }
      return server
    }
    guard servers.count == 1 || kind == .kafka || kind == .nats else {
      throw OnePassError.severalBrokerServers(text)
    }
    let credentials = try text[userInfo].dropLast().split(
      separator: ":", maxSplits: 1, omittingEmptySubsequences: false
    ).map {
      guard let part = String($0).removingPercentEncoding else {
        throw OnePassError.invalidBrokerCredentials(text)
      }
      return part
    }
    user = credentials.first.flatMap { $0.isEmpty ? nil : $0 }
    password = credentials.count > 1 ? credentials[1] : nil
  }

  private static func server(_ text: Substring, port: Int) -> Server? {
    let isBracketed = text.hasPrefix("[")
    guard let end = isBracketed ? text.firstIndex(of: "]") : text.firstIndex(of: ":") ?? text.endIndex else {
      return nil
    }
    let name = isBracketed ? text[text.index(after: text.startIndex)..<end] : text[..<end]
    let rest = isBracketed ? text[text.index(after: end)...] : text[end...]
    guard !name.isEmpty else { return nil }
    guard !rest.isEmpty else { return Server(host: String(name), port: port) }
    guard rest.hasPrefix(":"), let given = Int(rest.dropFirst()), (1...65_535).contains(given) else {
      return nil
    }
    return Server(host: String(name), port: given)
  }

  /// The URL without user name and password.
  package var description: String {
    kind == .inbox
      ? "\(kind.rawValue):\(stream)"
      : "\(kind.rawValue)\(isSecure ? "s" : "")://\(servers.map(\.text).joined(separator: ","))/\(stream)"
  }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["url": description]) }

  /// Opens a connection that reads the stream, which must exist.
  /// - Throws: `OnePassError`: `unavailable` without the client library, `io` if the broker cannot be reached or has no such stream,
  ///   `denied` if it refuses the credentials, `usage` for an unknown property.
  package func openReader(_ settings: BrokerSettings) throws -> any BrokerReader {
    switch kind {
    case .kafka: try KafkaReader(self, settings)
    case .redis: try RedisReader(self, settings)
    case .nats: try NATSReader(self, settings)
    case .amqp: try AMQPReader(self, settings)
    case .inbox: throw OnePassError.inboxOfService(self)
    }
  }

  /// Opens a connection that writes to the stream, which is created if it does not exist.
  /// - Throws: The errors of ``openReader(_:)``.
  package func openWriter(_ settings: BrokerSettings) throws -> any BrokerWriter {
    switch kind {
    case .kafka: try KafkaWriter(self, settings)
    case .redis: try RedisWriter(self, settings)
    case .nats: try NATSWriter(self, settings)
    case .amqp: try AMQPWriter(self, settings)
    case .inbox: throw OnePassError.inboxOfService(self)
    }
  }
}
