import CBrokers
import Foundation
import TestSupport

/// A nats-server with JetStream in a folder of its own.
public final class NATSServer {
  public static let program = TestServer.path(of: "nats-server")
  public static var isUsable: Bool {
    var reason: UnsafePointer<CChar>?
    return program != nil && cb_nats(&reason) != nil
  }
  public static let reason = "There is no nats-server, or no nats.c (libnats3.4)."

  public let port: Int
  public let folder: TemporaryFolder
  private var server: TestServer?

  /// - Parameter configuration: Further lines of its configuration.
  public init(_ configuration: String = "", in folder: TemporaryFolder? = nil, hasJetStream: Bool = true)
    throws
  {
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

  public func start() throws {
    let started = try TestServer(
      Self.program ?? "nats-server", ["-c", folder.file("nats.conf")], log: folder.file("log"))
    server = started
    try started.wait { TestServer.accepts(port) }
  }

  public func end(_ signal: String = "KILL") { server?.end(signal) }

  /// Ends the server, and replaces its store by a copy or a copy by its store.
  public func copyStore(isRestored: Bool) throws {
    end("TERM")
    let (store, copy) = (folder.file("store"), folder.file("copy"))
    let (source, target) = isRestored ? (copy, store) : (store, copy)
    try? FileManager.default.removeItem(atPath: target)
    try FileManager.default.copyItem(atPath: source, toPath: target)
    try start()
  }

  public func url(_ stream: String) -> String { "nats://127.0.0.1:\(port)/\(stream)" }
}
