import Foundation

/// A `redis-server` on loopback, with its data in a folder of its own.
public final class RedisServer {
  public let port: Int
  public let folder: TemporaryFolder
  private var server: TestServer?
  private let arguments: [String]
  private let password: [String]

  private static let program = TestServer.path(of: "redis-server")
  private static let client = TestServer.path(of: "redis-cli")
  public static let isInstalled = program != nil && client != nil
  public static let reason: String = "There is no redis-server; scripts/brokers installs it."

  /// - Parameters:
  ///   - isDurable: Whether each write is in the append-only file before it is acknowledged.
  ///   - password: That of the user `default`.
  ///   - options: Further arguments.
  ///   - tls: A folder with `own.pem`, `own.key` and `authority.pem`; then the port speaks TLS only.
  public init(
    isDurable: Bool = false, password: String? = nil, options: [String] = [], tls: TemporaryFolder? = nil
  ) throws {
    (port, folder) = (try Ranks.freePort(), try TemporaryFolder())
    var arguments = [
      "--bind", "127.0.0.1", "--dir", folder.path, "--save", "", "--appendonly", isDurable ? "yes" : "no",
      "--appendfsync", "always",
    ]
    if let tls {
      arguments += [
        "--port", "0", "--tls-port", "\(port)", "--tls-cert-file", tls.file("own.pem"), "--tls-key-file",
        tls.file("own.key"), "--tls-ca-cert-file", tls.file("authority.pem"), "--tls-auth-clients", "no",
      ]
    } else {
      arguments += ["--port", "\(port)"]
    }
    if let password { arguments += ["--requirepass", password] }
    arguments += options
    self.password = password.map { ["-a", $0, "--no-auth-warning"] } ?? []
    self.arguments = arguments
    try start()
  }

  public func url(_ stream: String) -> String { "redis://127.0.0.1:\(port)/\(stream)" }

  public func kill() { server?.end("KILL") }

  public func start() throws {
    let started = try TestServer(Self.program ?? "", arguments, log: folder.file("log"))
    server = started
    try started.wait {
      ((try? String(contentsOfFile: folder.file("log"), encoding: .utf8)) ?? "").contains("Ready to accept")
    }
  }

  /// Runs a command with redis-cli and returns its output.
  @discardableResult
  public func cli(_ command: [String]) throws -> String {
    let outcome = try Program(path: Self.client ?? "").run(
      ["-p", "\(port)"] + password + command)
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
