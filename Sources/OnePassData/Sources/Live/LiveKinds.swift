import OnePassBrokers
import OnePassCore

extension SourceRegistry {
  /// The kinds of streams of brokers. Those with TLS differ in an `s`, and help does not list them.
  static let live: [SourceKind] = BrokerKind.allCases.flatMap { kind in
    ["", "s"].map { suffix in
      SourceKind(
        live: kind.rawValue + suffix,
        forms: "\(kind.rawValue)\(suffix)://HOST:PORT/\(kind.streamName.uppercased())",
        summary: "a \(kind.streamName) of \(kind.productName)", isListed: suffix.isEmpty
      ) { request in
        let address = try BrokerAddress(request.specification)
        guard let options = request.live else { throw OnePassError.liveStreamHasNoEnd("\(address)") }
        return try LiveSource(address, options, request)
      }
    }
  }

  /// Whether a specification names a stream of a broker.
  package static func isLive(_ specification: String) -> Bool { BrokerAddress.isMeant(by: specification) }
}

extension BrokerKind {
  /// The word for what holds messages.
  package var streamName: String { self == .kafka ? "topic" : "stream" }

  fileprivate var productName: String {
    switch self {
    case .kafka: "Kafka"
    case .redis: "Redis or Valkey"
    case .nats: "NATS JetStream"
    case .amqp: "RabbitMQ, over AMQP 0-9-1"
    case .inbox: "a service"
    }
  }
}
