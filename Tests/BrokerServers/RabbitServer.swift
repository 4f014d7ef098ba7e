import CBrokers
import Foundation
import TestSupport

/// A rabbitmq-server in a folder of its own, with an own name server of Erlang (epmd) on loopback.
///
/// It is used by one test at a time.
public final class RabbitServer: @unchecked Sendable {
  /// The script itself: the one in PATH changes the user.
  public static let program =
    ["/usr/lib/rabbitmq/bin/rabbitmq-server"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    } ?? TestServer.path(of: "rabbitmq-server")
  private static let epmd = TestServer.path(of: "epmd")
  public static var isUsable: Bool {
    var reason: UnsafePointer<CChar>?
    return program != nil && epmd != nil && cb_rabbitmq(&reason) != nil
  }
  public static let reason = "There is no rabbitmq-server with epmd, or no librabbitmq (librabbitmq4)."

  public let port: Int
  public let securePort: Int
  public let folder: TemporaryFolder
  private let names: TestServer
  private let environment: [String: String]
  private var server: TestServer?

  public init() throws {
    (port, securePort) = (try Ranks.freePort(), try Ranks.freePort())
    folder = try TemporaryFolder()
    try TestServer.makeCertificate(in: folder)
    let configuration = """
      listeners.tcp.1 = 127.0.0.1:\(port)
      listeners.ssl.1 = 127.0.0.1:\(securePort)
      ssl_options.certfile = \(folder.file("certificate.pem"))
      ssl_options.keyfile = \(folder.file("key.pem"))
      ssl_options.verify = verify_none
      log.file = false
      log.console = true
      """
    try folder.write(Array(configuration.utf8), to: "rabbitmq.conf")
    try folder.write(Array("[].".utf8), to: "plugins")
    let namesPort = try Ranks.freePort()
    environment = [
      "HOME": folder.path, "RABBITMQ_NODENAME": "onepass-\(port)@localhost", "RUNNING_UNDER_SYSTEMD": "1",
      "RABBITMQ_MNESIA_BASE": folder.file("data"), "RABBITMQ_LOG_BASE": folder.file("log"),
      "RABBITMQ_CONFIG_FILE": folder.file("rabbitmq.conf"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
      "RABBITMQ_ENABLED_PLUGINS_FILE": folder.file("plugins"), "RABBITMQ_PID_FILE": folder.file("pid"),
      "RABBITMQ_GENERATED_CONFIG_DIR": folder.file("generated"),
      "RABBITMQ_DIST_PORT": "\(try Ranks.freePort())", "ERL_EPMD_PORT": "\(namesPort)",
      "ERL_EPMD_ADDRESS": "127.0.0.1",
      "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": """
      +S 1:1 +sbwt none -rabbit consumer_timeout 2000 -rabbit channel_tick_interval 500
      """,
    ]
    names = try TestServer(
      Self.epmd ?? "epmd", ["-port", "\(namesPort)", "-address", "127.0.0.1"], log: folder.file("names.log"))
    try names.wait { TestServer.accepts(namesPort) }
    try start()
  }

  public func start() throws {
    let started = try TestServer(
      Self.program ?? "rabbitmq-server", [], environment: environment, log: folder.file("output.log"))
    server = started
    try started.wait {
      ((try? String(contentsOfFile: folder.file("output.log"), encoding: .utf8)) ?? "")
        .contains("Server startup complete")
    }
  }

  /// The number of lines of the log with words.
  public func count(_ words: String) throws -> Int {
    try String(contentsOfFile: folder.file("output.log"), encoding: .utf8).split(separator: "\n")
      .count { $0.contains(words) }
  }

  public func end(_ signal: String = "KILL") { server?.end(signal) }

  public func url(_ queue: String) -> String { "amqp://127.0.0.1:\(port)/\(queue)" }
}
