import Foundation
import TestSupport
import Testing

/// How streams are fetched in the surroundings that users have: proxies, passwords, certificates.
///
/// The environment is one for a whole process, so it is the built program that is asked.
@Suite("Streams are fetched through proxies, with passwords and certificates") struct RemoteAddressTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  static let secret = "s3cr3t"
  /// `anna:s3cr3t`
  static let basic = "Basic YW5uYTpzM2NyM3Q="

  init() throws {
    runs = try RunFixture(
      StripedImages(count: 64, side: 28), options: small + ["--method", "naive", "--classes", "4"])
    try runs.pack("t-{0..0}.tar")
  }

  /// Trains on a stream, in a home of its own and with no more of the surroundings than is said; nothing may tell the secret.
  func train(
    _ data: String, _ environment: [String: String] = [:], options: [String] = []
  ) throws -> Program.Outcome {
    let variables = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"].flatMap { [$0, $0.uppercased()] }
    var surroundings = Dictionary(
      uniqueKeysWithValues: (variables + ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"]).map { ($0, "") }
    )
    surroundings["HOME"] = folder.path
    surroundings.merge(environment) { $1 }
    try? FileManager.default.removeItem(atPath: folder.file("run"))
    let outcome = try runs.attempt("run", options, data: data, environment: surroundings)
    #expect(!(outcome.output + outcome.errors).contains(Self.secret), "\(outcome.errors)")
    if folder.exists("run") {
      let run = try FileManager.default.subpathsOfDirectory(atPath: folder.file("run"))
      for name in run {
        let bytes = FileManager.default.contents(atPath: folder.file("run/\(name)")) ?? Data()
        #expect(bytes.range(of: Data(Self.secret.utf8)) == nil, "\(name)")
      }
    }
    return outcome
  }

  /// Sends the files of the folder; whatever stands before their names.
  func makeServer() throws -> LoopbackServer {
    let folder = folder
    return try LoopbackServer { request, _, connection in
      let name = request.target.prefix { $0 != "?" }.split(separator: "/").last.map(String.init) ?? ""
      guard let bytes = try? folder.bytes(of: name) else { return connection.answer("404 Not Found") }
      connection.answer("200 OK", body: bytes)
    }
  }

  // MARK: Certificates

  @Test(
    "A certificate authority from the environment is trusted",
    .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"),
    arguments: ["CURL_CA_BUNDLE", "SSL_CERT_FILE"])
  func aCertificateIsTrustedThatTheEnvironmentNames(variable: String) throws {
    let server = try TLSServer(.right, sending: folder)
    let run = try train(
      "wds:\(server.url("t-{0..0}.tar"))", [variable: folder.file(TLSServer.authority)])
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test(
    "An invalid certificate is refused without a retry",
    .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"),
    arguments: [
      (TLSServer.Certificate.right, nil, ["is not trusted here", "CURL_CA_BUNDLE=FILE"]),
      (.selfSigned, TLSServer.authority, ["is not trusted here"]),
      (.ofAnotherHost, TLSServer.authority, ["is for another host than 127.0.0.1"]),
      (.expired, TLSServer.authority, ["is not valid at this time"]),
      (.right, "nowhere.pem", ["trusted certificates cannot be read", "CURL_CA_BUNDLE"]),
    ])
  func aCertificateThatIsNoneIsRefusedAtOnce(
    kind: TLSServer.Certificate, trusted: String?, words: [String]
  ) throws {
    let server = try TLSServer(kind, sending: folder)
    let run = try train(
      "wds:\(server.url("t-{0..0}.tar?\(Self.secret)"))",
      trusted.map { ["CURL_CA_BUNDLE": folder.file($0)] } ?? [:])
    #expect(run.status == 74)
    for word in words { #expect(run.errors.contains(word), "\(run.errors)") }
    #expect(!run.errors.contains("times in"), "\(run.errors)")
  }

  // MARK: Proxies

  @Test("Requests go through the proxy of the environment")
  func aProxyIsAsked() throws {
    let proxy = try makeServer()
    let run = try train(
      "wds:http://data.example/t-{0..0}.tar?\(Self.secret)",
      ["http_proxy": "http://anna:\(Self.secret)@127.0.0.1:\(proxy.port)"])
    #expect(run.status == 0, "\(run.errors)")
    let targets = proxy.requests.map(\.target)
    #expect(targets.contains("http://data.example/t-0.tar?\(Self.secret)"), "\(targets)")
    #expect(proxy.requests.allSatisfy { $0.headers["proxy-authorization"] == Self.basic })
  }

  @Test("Hosts in no_proxy are reached directly")
  func aHostInNoProxyIsAskedItself() throws {
    let (server, proxy) = (try makeServer(), try makeServer())
    let run = try train(
      "wds:\(server.url("t-{0..0}.tar"))",
      ["http_proxy": "http://127.0.0.1:\(proxy.port)", "no_proxy": "elsewhere.example,127.0.0.1"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(proxy.requests.isEmpty && server.requests.map(\.target) == ["/t.json", "/t-0.tar"])
  }

  @Test("A proxy tunnels to a server with TLS", .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"))
  func aProxyConnectsToAServerWithTLS() throws {
    let server = try TLSServer(.right, sending: folder)
    let port = server.port
    let proxy = try LoopbackServer { _, _, connection in connection.tunnel(to: port) }
    let run = try train(
      "wds:\(server.url("t-{0..0}.tar"))",
      [
        "https_proxy": "http://anna:\(Self.secret)@127.0.0.1:\(proxy.port)",
        "CURL_CA_BUNDLE": folder.file(TLSServer.authority),
      ])
    #expect(run.status == 0, "\(run.errors)")
    #expect(!proxy.requests.isEmpty)
    for request in proxy.requests {
      #expect(request.method == "CONNECT" && request.target == "127.0.0.1:\(port)")
      #expect(request.headers["proxy-authorization"] == Self.basic)
    }
  }

  @Test(
    "A proxy that refuses ends the run with a sentence",
    arguments: [
      ("https", "407 Proxy Authentication Required", "the proxy asks for a name and a password (407)"),
      ("https", "403 Forbidden", "the proxy does not connect to data.example (403)"),
      ("http", "407 Proxy Authentication Required", "the proxy asks for a name and a password (407)"),
    ])
  func aProxyThatRefusesIsASentence(scheme: String, status: String, words: String) throws {
    let proxy = try LoopbackServer { _, _, connection in connection.answer(status) }
    let run = try train(
      "wds:\(scheme)://data.example/t-{0..0}.tar",
      ["\(scheme)_proxy": "http://anna:\(Self.secret)@127.0.0.1:\(proxy.port)"])
    #expect(run.status == 74 && run.errors.contains(words), "\(run.errors)")
    #expect(proxy.requests.count == 1)
  }

  /// Asked of a log, whose server is given up on after a second or two.
  @Test(
    "A host or proxy that cannot be reached is named",
    arguments: [
      ("http://data.example", "http://anna:s3cr3t@127.0.0.1:1", "the proxy 127.0.0.1 could not be reached"),
      ("http://127.0.0.1", "http://anna:s3cr3t@127.0.0.1:1", "the proxy 127.0.0.1 could not be reached"),
      ("http://127.0.0.1:1", "", "the server 127.0.0.1 could not be reached: Connection refused"),
      ("http://data.example", "odd://anna:s3cr3t@127.0.0.1:1", "the proxy could not be reached"),
      ("http://data.example", "http://anna:s3cr3t@\(noName):1", "the proxy that the environment names"),
      ("http://\(noName)", "", "the host \(noName) is not known"),
    ])
  func whatCannotBeReachedIsNamed(address: String, proxy: String, words: String) throws {
    let run = try train(
      "idx:\(folder.path)", ["http_proxy": proxy], options: ["--log", "mlflow:\(address)#x"])
    #expect(run.status == 74 && run.errors.contains(words), "\(run.errors)")
  }

  /// No part of a name has more than 63 letters, so that no name server is asked.
  static let noName = String(repeating: "a", count: 70)

  // MARK: Names and passwords

  @Test("Passwords from netrc are sent to their own host only")
  func passwordsComeFromNetrcForTheirHostAlone() throws {
    let (server, other) = (try makeServer(), try makeServer())
    let netrc = "machine 127.0.0.1 login anna password \(Self.secret)\n"
    try folder.write(Array(netrc.utf8), to: ".netrc")
    let run = try train("wds:\(server.url("t-{0..0}.tar"))")
    #expect(run.status == 0, "\(run.errors)")
    #expect(server.requests.map { $0.headers["authorization"] } == [Self.basic, Self.basic])
    let elsewhere = try train("wds:http://localhost:\(other.port)/t-{0..0}.tar")
    #expect(elsewhere.status == 0, "\(elsewhere.errors)")
    #expect(other.requests.map { $0.headers["authorization"] } == [nil, nil])
  }

  @Test("Passwords in an address are not sent to another host after a redirect")
  func passwordsOfAnAddressAreSentToItsHostAlone() throws {
    let other = try makeServer()
    let server = try LoopbackServer { request, _, connection in
      connection.answer(
        "302 Found", ["Location": "http://localhost:\(other.port)\(request.target)"])
    }
    let run = try train("wds:http://anna:\(Self.secret)@127.0.0.1:\(server.port)/t-{0..0}.tar")
    #expect(run.status == 0, "\(run.errors)")
    #expect(server.requests.map { $0.headers["authorization"] } == [Self.basic, Self.basic])
    #expect(other.requests.map { $0.headers["authorization"] } == [nil, nil])
  }
}
