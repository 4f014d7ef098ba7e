import Foundation
import TestSupport

/// noida-db, a broker that speaks Kafka's protocol, on a free port of loopback.
///
/// It stores its state once a second. It ends with the process of the test.
public final class NoidaBroker {
  /// The executable in the package of PyPI (`noida_db/noida-db`), from `ONEPASS_NOIDA`, the environment of scripts/brokers or PATH.
  public static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["ONEPASS_NOIDA"], !path.isEmpty { return path }
    let libraries = "\(ForeignClients.folder)/lib"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
    let installed = versions.map { "\(libraries)/\($0)/site-packages/noida_db/noida-db" }
    let inPath = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/noida-db" }
    return (installed + inPath).first {
      // PyPI's launcher would not end with its server.
      FileManager.default.contents(atPath: $0)?.prefix(4) == Data([0x7F, 0x45, 0x4C, 0x46])
    }
  }()
  public static let reason = "There is no noida-db; scripts/brokers installs it."

  public let port: Int
  private let folder: TemporaryFolder
  private var server: TestServer?

  public init() throws {
    folder = try TemporaryFolder()
    port = try Ranks.freePort()
    try start()
  }

  public func start() throws {
    let arguments = [
      "start", "--data-dir", folder.file("data"), "--only", "kafka", "--kafka-port", "\(port)",
    ]
    let started = try TestServer(Self.path ?? "noida-db", arguments, log: folder.file("log"))
    server = started
    try started.wait { TestServer.accepts(port) }
  }

  public func url(_ topic: String) -> String { "kafka://127.0.0.1:\(port)/\(topic)" }

  /// Ends it without warning.
  /// - Parameter seconds: How long to wait first, so that what was written is stored.
  public func kill(after seconds: Double = 0) {
    Thread.sleep(forTimeInterval: seconds)
    server?.end("KILL")
  }

  /// Lets it store its state and end.
  public func end() { server?.end("TERM") }
}
