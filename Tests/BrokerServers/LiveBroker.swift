import TestSupport

/// A broker that runs of the program use, and that can be killed.
public protocol LiveBroker: AnyObject {
  func url(_ stream: String) -> String
  /// Ends it as a crash does; one that stores its state only once a second ends by itself.
  func crash()
  /// Starts it again, with what it has stored.
  func start() throws
}

extension RedisServer: LiveBroker {
  public func crash() { kill() }
}

extension NATSServer: LiveBroker {
  public func crash() { end("KILL") }
}

extension RabbitServer: LiveBroker {
  public func crash() { end("KILL") }
}

extension NoidaBroker: LiveBroker {
  public func crash() { end() }
}

/// The kinds of brokers that are installed.
public enum BrokerServers: String, CaseIterable, CustomStringConvertible, Sendable {
  case redis, nats, rabbitMQ, kafka

  public var description: String { rawValue }

  public static var installed: [BrokerServers] { allCases.filter(\.isInstalled) }

  /// Why a kind is not tested.
  public static let reason = "Of the brokers there is none; scripts/brokers installs them."

  private var isInstalled: Bool {
    switch self {
    case .redis: RedisServer.isInstalled
    case .nats: NATSServer.isUsable
    case .rabbitMQ: RabbitServer.isUsable
    case .kafka: NoidaBroker.path != nil
    }
  }

  /// Starts a broker that keeps what it has acknowledged.
  public func open() throws -> any LiveBroker {
    switch self {
    case .redis: try RedisServer(isDurable: true)
    case .nats: try NATSServer()
    case .rabbitMQ: try RabbitServer()
    case .kafka: try NoidaBroker()
    }
  }
}
