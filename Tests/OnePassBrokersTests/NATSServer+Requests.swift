import BrokerServers
import Foundation

@testable import OnePassBrokers

extension NATSServer {
  /// Sends a request of JetStream's interface.
  @discardableResult
  func api(_ command: String, _ body: String = "") throws -> String {
    let address = try BrokerAddress(url("x"))
    let connection = try NATSConnection(address, ConnectionProperties(address, .init()), name: "test")
    return String(decoding: try connection.request("$JS.API.\(command)", Array(body.utf8)), as: UTF8.self)
  }

  /// A reader of the stream `photos` after a sequence.
  func reader(after last: UInt64? = nil, _ settings: BrokerSettings = .init()) throws -> any BrokerReader {
    let reader = try BrokerAddress(url("photos")).openReader(settings)
    try reader.seek(0, after: last.map { PartitionPlace(BrokerOffset($0)) })
    return reader
  }
}
