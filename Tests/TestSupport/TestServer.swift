import Foundation

/// A broker that tests start on loopback. It ends with its last reference, or with the process of the tests.
public final class TestServer {
  private let process = Process()
  private let input = Pipe()
  public let log: String

  public struct Failure: Error {
    public let words: String
    public init(words: String) { self.words = words }
  }

  /// The path of a program in PATH or in the folders of servers.
  public static func path(of program: String) -> String? {
    ((ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/usr/local/sbin").split(separator: ":")
      .map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// - Parameter log: The file that receives its output.
  public init(_ program: String, _ arguments: [String], environment: [String: String] = [:], log: String)
    throws
  {
    self.log = log
    // The shell ends the server, also when the tests are killed.
    let script = """
      "$@" </dev/null &
      server=$!
      read -r how || how=KILL
      kill -s "$how" $server
      wait $server
      """
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script, "sh", program] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = input
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    process.standardOutput = FileHandle(forWritingAtPath: log)
    process.standardError = FileHandle(forWritingAtPath: log)
    // Signals can be blocked on a thread of tests; the shell needs them.
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  deinit { end("KILL") }

  /// - Parameter signal: Its name, as `TERM`.
  public func end(_ signal: String) {
    guard process.isRunning else { return }
    try? input.fileHandleForWriting.write(contentsOf: Data("\(signal)\n".utf8))
    process.waitUntilExit()
  }

  /// Waits until a condition is true.
  /// - Throws: The log if the server has ended or has hung. Beside other tests RabbitMQ can need more than a minute to start.
  public func wait(until condition: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while !condition() {
      let said =
        process.isRunning ? "not ready after 300 s" : "ended with status \(process.terminationStatus)"
      guard process.isRunning, ContinuousClock.now < deadline else {
        throw Failure(words: "\(said): \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")")
      }
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  /// Whether a port of loopback accepts connections.
  public static func accepts(_ port: Int) -> Bool {
    let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  /// Makes a certificate of localhost that is its own authority: `certificate.pem` and `key.pem`.
  public static func makeCertificate(in folder: TemporaryFolder) throws {
    let outcome = try Program(path: TLSServer.openssl ?? "openssl").run([
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
      "subjectAltName=DNS:localhost", "-keyout", folder.file("key.pem"), "-out",
      folder.file("certificate.pem"),
    ])
    if outcome.status != 0 { throw Failure(words: outcome.errors) }
  }
}
