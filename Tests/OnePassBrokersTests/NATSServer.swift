import CBrokers
import Foundation
import TestSupport

@testable import OnePassBrokers

/// A nats-server with JetStream in a folder of its own.
final class NATSServer {
  static let program = TestServer.path(of: "nats-server")
  static var isUsable: Bool {
    var reason: UnsafePointer<CChar>?
    return program != nil && cb_nats(&reason) != nil
  }
  static let reason = "There is no nats-server, or no nats.c (libnats3.4)."

  let port: Int
  let folder: TemporaryFolder
  private var server: TestServer?

  /// - Parameter configuration: Further lines of its configuration.
  init(_ configuration: String = "", in folder: TemporaryFolder? = nil, hasJetStream: Bool = true) throws {
    port = try Ranks.freePort()
    self.folder = try folder ?? TemporaryFolder()
    let text = """
      listen: "127.0.0.1:\(port)"
      max_payload: 8MB
      \(hasJetStream ? "jetstream { store_dir: \"\(self.folder.file("store"))\" }" : "")
      \(configuration)
      """
    try self.folder.write(Array(text.utf8), to: "nats.conf")
    try start()
  }

  func start() throws {
    let started = try TestServer(
      Self.program ?? "nats-server", ["-c", folder.file("nats.conf")], log: folder.file("log"))
    server = started
    try started.wait(seconds: 8) { TestServer.accepts(port) }
  }

  func end(_ signal: String = "KILL") { server?.end(signal) }

  /// Ends the server, and replaces its store by a copy or a copy by its store.
  func copyStore(isRestored: Bool) throws {
    end("TERM")
    let (store, copy) = (folder.file("store"), folder.file("copy"))
    let (source, target) = isRestored ? (copy, store) : (store, copy)
    try? FileManager.default.removeItem(atPath: target)
    try FileManager.default.copyItem(atPath: source, toPath: target)
    try start()
  }

  func url(_ stream: String) -> String { "nats://127.0.0.1:\(port)/\(stream)" }

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
