import CBrokers
import Foundation
import OnePassCore

/// JetStream's documented interface: requests and answers in JSON.
struct JetStream {
  let connection: NATSConnection

  struct StreamInfo: Decodable {
    struct Configuration: Decodable {
      let subjects: [String]?
      /// `limits`, `interest` or `workqueue`.
      let retention: String?
    }
    struct State: Decodable, Sendable {
      let messages: Int
      let firstSeq: UInt64
      let lastSeq: UInt64
      /// The number of deleted messages between the first and the last one.
      let numDeleted: Int?
    }
    let config: Configuration
    /// The time of its creation, which differs for a stream that was made again.
    let created: String
    let state: State
  }

  struct ConsumerInfo: Decodable {
    struct Configuration: Decodable { let description: String? }
    let name: String
    let config: Configuration
    /// The number of messages that it has not delivered.
    let numPending: UInt64
  }

  struct ConsumerConfiguration: Encodable {
    var durableName: String?
    var description = JetStream.consumerDescription
    var deliverPolicy = "by_start_sequence"
    var optStartSeq: UInt64
    var ackPolicy: String
    /// After this many nanoseconds without a request the server removes it.
    var inactiveThreshold: Int?
    var memStorage: Bool?
  }

  /// Marks the consumers that may be replaced.
  static let consumerDescription = "OnePass"

  private var stream: String { connection.address.stream }

  func streamInfo(seconds: Double = 5) throws -> StreamInfo {
    try call("STREAM.INFO.\(stream)", Nothing(), seconds: seconds)
  }

  /// Creates a stream with the subject of the same name.
  func createStream() throws -> StreamInfo {
    struct Request: Encodable {
      let name: String
      let subjects: [String]
      var storage = "file"
    }
    return try call("STREAM.CREATE.\(stream)", Request(name: stream, subjects: [stream]))
  }

  func createConsumer(_ configuration: ConsumerConfiguration, seconds: Double = 5) throws -> ConsumerInfo {
    struct Request: Encodable {
      let streamName: String
      let config: ConsumerConfiguration
    }
    let command = configuration.durableName.map { "DURABLE.CREATE.\(stream).\($0)" } ?? "CREATE.\(stream)"
    return try call(
      "CONSUMER.\(command)", Request(streamName: stream, config: configuration), seconds: seconds)
  }

  /// The consumer of a name; `nil` if there is none.
  func consumerInfo(_ name: String, seconds: Double = 5) throws -> ConsumerInfo? {
    do {
      let info: ConsumerInfo = try call("CONSUMER.INFO.\(stream).\(name)", Nothing(), seconds: seconds)
      return info
    } catch is UnknownConsumer {
      return nil
    }
  }

  func deleteConsumer(_ name: String, seconds: Double = 5) throws {
    struct Answer: Decodable {}
    let _: Answer = try call("CONSUMER.DELETE.\(stream).\(name)", Nothing(), seconds: seconds)
  }

  private struct Nothing: Encodable {}

  /// An error in an answer.
  private struct Refusal: Decodable {
    let code: Int
    let errCode: Int?
    let description: String?

    func error(for address: BrokerAddress) -> any Error {
      let text = description ?? "error \(errCode ?? code)"
      return switch errCode ?? 0 {
      case 10_059: OnePassError.noSuchStream(address, "stream")
      case 10_014: UnknownConsumer()
      // A server that is not ready yet.
      default: code == 503 ? ConnectionLost(reason: text) : OnePassError.brokerFailed(address, reason: text)
      }
    }
  }

  private struct Failed: Decodable { let error: Refusal? }

  private struct UnknownConsumer: Error {}

  /// - Throws: `OnePassError` for an error in the answer (`notFound` for an unknown stream).
  private func call<Answer: Decodable>(_ command: String, _ body: some Encodable, seconds: Double = 5) throws
    -> Answer
  {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let request: [UInt8] = try body is Nothing ? [] : Array(encoder.encode(body))
    let answer = try connection.request("$JS.API.\(command)", request, seconds: seconds)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      if let refusal = try decoder.decode(Failed.self, from: answer).error {
        throw refusal.error(for: connection.address)
      }
      return try decoder.decode(Answer.self, from: answer)
    } catch let error as DecodingError {
      throw OnePassError.brokerFailed(
        connection.address, reason: "JetStream's answer is not understood: \(error)")
    }
  }
}
