import OnePassCore
import OnePassData

extension RunConfiguration {
  /// How a stream of a broker is read: Kafka, Redis, NATS or RabbitMQ.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "redis://localhost/photos")
  /// configuration.data.classCount = 10
  /// configuration.live.record = .json
  /// ```
  public struct LiveOptions: RunOptionGroup {
    /// How a message holds examples.
    @RunOption(
      "record",
      "Content of a broker's message: image (the body; the label is in a header), json, cloudevents or tar.",
      value: "FORM", before: .image, applies: .live)
    public var record: MessageForm = .image

    /// What happens if messages were removed before they were read.
    @RunOption(
      "on-gap", "Messages that a broker removed before they were read: stop, or continue without them.",
      value: "ACTION", before: .stop, applies: .live, changesResults: false)
    public var onGap: GapPolicy = .stop

    /// A file with properties of the connection; none if `nil`.
    @RunOption(
      "broker-config",
      "File with properties of the connection to a broker, one NAME = VALUE per line, such as password and ca.",
      value: "FILE", applies: .live, changesResults: false)
    public var brokerConfig: String? = nil

    /// The largest message that is accepted; 64 MiB if `nil`.
    @RunOption(
      "message-limit", "Largest message of a broker that is accepted (default: 64MiB).", value: "BYTES",
      applies: .live, changesResults: false)
    public var messageLimit: MessageLimit? = nil

    /// The time at which the stream ends; `nil` for no such end.
    @RunOption(
      "until", "Time at which a broker's stream ends, such as 2026-12-01T18:30 (with Z for UTC).",
      value: "TIME", applies: .live, changesResults: false)
    public var until: StreamEnd? = nil
  }
}
