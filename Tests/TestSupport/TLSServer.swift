import Foundation

/// A TLS server on loopback that sends the files of a folder, by the `openssl` in PATH.
///
/// Its keys and certificates are created with it. It ends with the process of the test.
public final class TLSServer {
  /// The subject and the issuer of its certificate.
  public enum Certificate: String, Sendable, CaseIterable {
    /// The address at which it listens, signed by the authority.
    case right
    /// Another host, signed by the authority.
    case ofAnotherHost
    /// The right address, signed by the authority and expired.
    case expired
    /// The right address, self-signed.
    case selfSigned
  }

  public let port: Int
  private let process = Process()
  private let life = Pipe()
  private let output = Pipe()

  /// The path of `openssl`, if it is in PATH.
  public static let openssl = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    .map { "\($0)/openssl" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  public static let reason: String = "There is no openssl in PATH to make certificates and a server with."

  /// The certificate that a client must trust, in the folder of the server.
  public static let authority = "authority.pem"

  public struct Failure: Error { let words: String }

  /// - Parameter folder: The folder with the files, and with the certificates.
  public init(_ certificate: Certificate, sending folder: TemporaryFolder) throws {
    try Self.makeCertificate(certificate, in: folder)
    // The shell ends the server at the end of its standard input. Signals other than SIGKILL can be blocked on a thread of tests.
    let script = """
      cd "$1" || exit 1
      "$2" s_server -accept 127.0.0.1:0 -WWW -cert own.pem -key own.key &
      server=$!
      cat >/dev/null
      kill -9 "$server"
      """
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script, "sh", folder.path, Self.openssl ?? "openssl"]
    process.standardInput = life
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var said = ""
    while true {
      let data = output.fileHandleForReading.availableData
      guard !data.isEmpty else { throw Failure(words: "openssl s_server says: \(said)") }
      said += String(decoding: data, as: UTF8.self)
      if let found = said.firstMatch(of: #/ACCEPT [^\n]*:(\d+)\n/#), let port = Int(found.output.1) {
        self.port = port
        return
      }
    }
  }

  deinit {
    try? life.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  public func url(_ path: String) -> String { "https://127.0.0.1:\(port)/\(path)" }

  /// Makes the files `own.pem`, `own.key` and the authority's.
  public static func makeCertificate(_ kind: Certificate, in folder: TemporaryFolder) throws {
    let host = kind == .ofAnotherHost ? "DNS:elsewhere.example" : "IP:127.0.0.1"
    try folder.write(Array("[own]\nsubjectAltName=\(host)\n".utf8), to: "own.cnf")
    let request = "[req]\ndistinguished_name=name\nx509_extensions=own\n[name]\n"
    try folder.write(Array("\(request)[own]\nsubjectAltName=\(host)\n".utf8), to: "self.cnf")
    try folder.write(
      Array("\(request)[own]\nbasicConstraints=critical,CA:TRUE\n".utf8), to: "authority.cnf")
    func file(_ name: String) -> String { folder.file(name) }
    func key(_ name: String) -> [String] { ["-newkey", "rsa:2048", "-nodes", "-keyout", file(name)] }
    try run(
      ["req", "-x509", "-config", file("authority.cnf"), "-subj", "/CN=Authority", "-days", "2"]
        + key("authority.key") + ["-out", file(authority)])
    if kind == .selfSigned {
      return try run(
        ["req", "-x509", "-config", file("self.cnf"), "-subj", "/CN=Own", "-days", "2"] + key("own.key")
          + ["-out", file("own.pem")])
    }
    try run(
      ["req", "-new", "-config", file("self.cnf"), "-subj", "/CN=Own"] + key("own.key")
        + ["-out", file("own.csr")])
    // With 0 days, it expires in the second of its creation.
    try run([
      "x509", "-req", "-in", file("own.csr"), "-CA", file(authority), "-CAkey", file("authority.key"),
      "-CAcreateserial", "-extfile", file("own.cnf"), "-extensions", "own",
      "-days", kind == .expired ? "0" : "2", "-out", file("own.pem"),
    ])
    if kind == .expired { Thread.sleep(forTimeInterval: 1.5) }
  }

  private static func run(_ arguments: [String]) throws {
    let outcome = try Program(path: openssl ?? "openssl").run(arguments)
    guard outcome.status == 0 else { throw Failure(words: "openssl \(arguments[0]): \(outcome.errors)") }
  }
}
