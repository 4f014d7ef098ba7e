import Foundation
import TestSupport

/// noida-db, a broker that speaks Kafka's protocol, on a free port of loopback.
///
/// It stores its state once a second. It ends with the process of the test.
final class NoidaBroker {
  /// The executable in the package of PyPI (`noida_db/noida-db`), from `ONEPASS_NOIDA`, the environment of scripts/brokers or PATH.
  static let path: String? = {
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
  static let reason = "There is no noida-db; scripts/brokers installs it."

  let port: Int
  private let folder: TemporaryFolder
  private var life: (process: Process, input: Pipe)?

  struct Failure: Error {}

  init() throws {
    folder = try TemporaryFolder()
    port = try NoidaPort.next()
    try start()
  }

  deinit { kill() }

  func start() throws {
    let (process, input) = (Process(), Pipe())
    // The shell ends the server at the end of its standard input; other signals can be blocked on a thread of tests.
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "\"$1\" start --data-dir \"$2\" --only kafka --kafka-port $3 & cat; kill -9 $!", "sh",
      Self.path ?? "",
      folder.path, "\(port)",
    ]
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    life = (process, input)
    for _ in 0..<500 where !NoidaPort.isListening(port) { Thread.sleep(forTimeInterval: 0.01) }
    guard NoidaPort.isListening(port) else { throw Failure() }
  }

  /// Ends it without warning.
  /// - Parameter seconds: How long to wait first, so that what was written is stored.
  func kill(after seconds: Double = 0) {
    Thread.sleep(forTimeInterval: seconds)
    try? life?.input.fileHandleForWriting.close()
    life?.process.waitUntilExit()
    life = nil
  }
}

/// Ports of loopback.
enum NoidaPort {
  struct Failure: Error {}

  /// A port that was free at the time of the call.
  static func next() throws -> Int {
    let (descriptor, port) = try bound()
    close(descriptor)
    return port
  }

  /// A socket with a free port.
  static func bound() throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw Failure() }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }

  static func isListening(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  private static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return address
  }
}
