import Foundation
import TestSupport
import TestTraits
import Testing

/// Streams over HTTP with proxies, passwords and certificates.
///
/// The environment is global to a process, so the tests run the built program.
@Suite("Streams are fetched through proxies, with passwords and certificates", .waitsForPrograms)
struct RemoteAddressTests {
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

  /// Trains on a stream with a separate home and a minimal environment, and checks that no output contains the secret.
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

  /// Serves the files of the folder by the last part of a path.
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
  func aCertificateAuthorityFromTheEnvironmentIsTrusted(variable: String) throws {
    let server = try TLSServer(.right, sending: folder)
    let run = try train(
      "wds:\(server.url("t-{0..0}.tar"))", [variable: folder.file(TLSServer.authority)])
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test(
    "An invalid certificate is refused without a retry",
    .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"),
    arguments: [
      (TLSServer.Certificate.right, nil, ["certificate is not trusted", "set CURL_CA_BUNDLE"]),
      (.selfSigned, TLSServer.authority, ["certificate is not trusted"]),
      (.ofAnotherHost, TLSServer.authority, ["certificate is not for host 127.0.0.1"]),
      (.expired, TLSServer.authority, ["has expired or is not valid yet"]),
      (.right, "nowhere.pem", ["trusted certificates cannot be read", "CURL_CA_BUNDLE"]),
    ])
  func anInvalidCertificateIsRefusedWithoutARetry(
    kind: TLSServer.Certificate, trusted: String?, words: [String]
  ) throws {
    let server = try TLSServer(kind, sending: folder)
    let run = try train(
      "wds:\(server.url("t-{0..0}.tar?\(Self.secret)"))",
      trusted.map { ["CURL_CA_BUNDLE": folder.file($0)] } ?? [:])
    #expect(run.status == 74)
    for word in words { #expect(run.errors.contains(word), "\(run.errors)") }
    #expect(!run.errors.contains("attempts in"), "\(run.errors)")
  }

  // MARK: Proxies

  @Test("Requests use the proxy of the environment")
  func requestsUseTheProxy() throws {
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
  func aHostInNoProxyIsReachedDirectly() throws {
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
    "A proxy that rejects a request ends the run with an error message",
    arguments: [
      ("https", "407 Proxy Authentication Required", "the proxy requires a user name and a password (407)"),
      ("https", "403 Forbidden", "the proxy refuses to connect to data.example (403)"),
      ("http", "407 Proxy Authentication Required", "the proxy requires a user name and a password (407)"),
    ])
  func aRejectionByAProxyIsReported(scheme: String, status: String, words: String) throws {
    let proxy = try LoopbackServer { _, _, connection in connection.answer(status) }
    let run = try train(
      "wds:\(scheme)://data.example/t-{0..0}.tar",
      ["\(scheme)_proxy": "http://anna:\(Self.secret)@127.0.0.1:\(proxy.port)"])
    #expect(run.status == 74 && run.errors.contains(words), "\(run.errors)")
    #expect(proxy.requests.count == 1)
  }

  /// Tested with a log, which gives up on a server after one or two seconds.
  @Test(
    "A host or proxy that cannot be reached is named",
    arguments: [
      ("http://data.example", "http://anna:s3cr3t@127.0.0.1:1", "cannot reach the proxy 127.0.0.1"),
      ("http://127.0.0.1", "http://anna:s3cr3t@127.0.0.1:1", "cannot reach the proxy 127.0.0.1"),
      ("http://127.0.0.1:1", "", "cannot reach the server 127.0.0.1: Connection refused"),
      ("http://data.example", "odd://anna:s3cr3t@127.0.0.1:1", "cannot reach the proxy"),
      ("http://data.example", "http://anna:s3cr3t@\(noName):1", "unknown proxy host in http_proxy"),
      ("http://\(noName)", "", "unknown host \(noName)"),
    ])
  func anUnreachableHostIsNamed(address: String, proxy: String, words: String) throws {
    let run = try train(
      "idx:\(folder.path)", ["http_proxy": proxy], options: ["--log", "mlflow:\(address)#x"])
    #expect(run.status == 74 && run.errors.contains(words), "\(run.errors)")
  }

  /// A label of more than 63 letters is invalid, so no name server is contacted.
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
