import Foundation

/// A `redis-server` on loopback, with its data in a folder of its own.
public final class RedisServer {
  public let port: Int
  public let folder: TemporaryFolder
  private let server: TestServer
  private let password: [String]

  public static let isInstalled = Executables.has("redis-server") && Executables.has("redis-cli")
  public static let reason: String = Executables.reason("redis-server")

  /// - Parameters:
  ///   - isDurable: Whether each write is in the append-only file before it is acknowledged.
  ///   - password: That of the user `default`.
  ///   - tls: A folder with `own.pem`, `own.key` and `authority.pem`; then the port speaks TLS only.
  public init(isDurable: Bool = false, password: String? = nil, tls: TemporaryFolder? = nil) throws {
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
    self.password = password.map { ["-a", $0, "--no-auth-warning"] } ?? []
    server = try TestServer(Executables.path("redis-server") ?? "", arguments)
    if tls == nil { waitUntilReady() }
  }

  public func url(_ stream: String) -> String { "redis://127.0.0.1:\(port)/\(stream)" }

  public func kill() { server.stop("KILL") }

  public func start() throws {
    try server.start()
    waitUntilReady()
  }

  private func waitUntilReady() {
    for _ in 0..<500 {
      if (try? cli(["PING"])) == "PONG" { return }
      Thread.sleep(forTimeInterval: 0.01)
    }
  }

  /// Runs a command with redis-cli and returns its output.
  @discardableResult
  public func cli(_ command: [String]) throws -> String {
    let outcome = try Program(path: Executables.path("redis-cli") ?? "").run(
      ["-p", "\(port)"] + password + command)
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
