import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("HTTP service", .serialized, .waitsForPrograms)
struct ServerTests {
  /// A path of each route, with its methods, its role, and the statuses that a permitted request may have.
  private static let routes: [(path: String, methods: [String], role: String?)] = [
    ("/v1/examples", ["POST"], "learn"), ("/v1/labels/0123456789abcdef", ["PUT"], "learn"),
    ("/v1/predict", ["POST"], "predict"), ("/v1/predictions", ["POST"], "predict"),
    ("/v1/model", ["GET"], "predict"),
    ("/v1/checkpoint", ["POST"], "manage"), ("/v1/cool-down", ["POST"], "manage"),
    ("/v1/subjects/stranger", ["DELETE"], "manage"), ("/v1/status", ["GET"], "see"),
    ("/v1/history", ["GET"], "see"),
    ("/v1/mistakes/1", ["GET"], "see"), ("/metrics", ["GET"], "see"), ("/", ["GET"], "see"),
    ("/openapi.json", ["GET"], nil), ("/v2/health/live", ["GET"], nil), ("/v2/health/ready", ["GET"], nil),
    ("/v2", ["GET"], "predict"), ("/v2/models/onepass", ["GET"], "predict"),
    ("/v2/models/onepass/ready", ["GET"], "predict"), ("/v2/models/onepass/infer", ["POST"], "predict"),
  ]

  @Test("Each route needs its role, and refuses other methods")
  func access() throws {
    let folder = try TemporaryFolder()
    let server = try Server(folder, options: ["tokens: \(folder.file("tokens"))"])
    for route in Self.routes where route.path != "/v1/cool-down" {
      let method = route.methods[0]
      let anonymous = try server.request(method, route.path)
      let wrong = try server.request(method, route.path, token: "wrong-0123456789abcdef")
      if let role = route.role {
        for answer in [anonymous, wrong] {
          #expect(answer.status == 401 && answer.problem == "no-token", "\(route.path)")
          #expect(answer.headers["www-authenticate"]?.contains("Bearer") == true)
          #expect(answer.headers["content-type"] == "application/problem+json")
        }
        for (other, token) in Server.tokens {
          let answer = try server.request(method, route.path, token: token)
          #expect((answer.status == 403) == (other != role), "\(route.path) with \(other): \(answer.status)")
          #expect(answer.status != 401 && answer.status != 500)
        }
      } else {
        #expect(anonymous.status == 200 || anonymous.status == 503)
      }
      let token = route.role.flatMap { Server.tokens[$0] }
      for other in ["GET", "POST", "PUT", "DELETE", "PATCH", "QUERY"]
      where !route.methods.contains(other) {
        let answer = try server.request(other, route.path, token: token)
        #expect(answer.status == 405, "\(other) \(route.path): \(answer.status)")
        #expect(answer.headers["allow"]?.contains(method) == true)
      }
    }
    let basic = Data("anyone:\(Server.tokens["see"]!)".utf8).base64EncodedString()
    #expect(
      try server.request("GET", "/v1/status", headers: ["Authorization": "Basic \(basic)"]).status
        == 200)
    #expect(try server.request("GET", "/nowhere").problem == "not-found")
    #expect(server.terminate() == 0)
  }

  @Test(
    "Examples that were acknowledged survive kill -9, each once, with the weights of an uninterrupted service"
  )
  func killed() throws {
    let (killed, whole) = (try TemporaryFolder(), try TemporaryFolder())
    var server = try Server(killed, options: ["insecure-loopback: true", "checkpoint-every: 0.2s"])
    for index in 0..<48 {
      let answer = try server.learn(index, key: "k\(index)")
      #expect(answer.status == 201 && answer.json["position"] as? Int == index)
      if index % 17 == 16 {
        server.kill()
        server = try Server(killed)
        let again = try server.learn(index, key: "k\(index)")
        #expect(again.status == 200 && again.json["position"] as? Int == index)
      }
    }
    try server.waitUntilTrained(48)
    let other = try Server(whole)
    for index in 0..<48 { _ = try other.learn(index) }
    try other.waitUntilTrained(48)
    for one in [server, other] {
      #expect(try one.request("POST", "/v1/checkpoint").json["step"] as? Int == 6)
      #expect(one.terminate() == 0)
    }
    func weights(_ folder: TemporaryFolder) throws -> [UInt8] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("service/run/unfinished"))
      return try folder.bytes(
        of:
          "service/run/unfinished/\(#require(names.filter { $0.hasPrefix("step-") }.max()))/model.safetensors"
      )
    }
    #expect(try weights(killed) == weights(whole))
    let ledger = try killed.bytes(of: "service/run/unfinished/ledger")
    #expect(try ledger == whole.bytes(of: "service/run/unfinished/ledger"))
    #expect(ledger.count == 48 * 16)
  }

  @Test("Each bad request has one clear answer, and nothing is accepted")
  func badRequests() throws {
    let server = try Server(options: ["insecure-loopback: true", "body-limit: 4kB", "decoded-limit: 1000"])
    let (image, type) = (Server.image(0), "image/x-portable-graymap")
    let large = Data(Array("P5\n40 40\n255\n".utf8) + [UInt8](repeating: 7, count: 1_600))
    let cases: [(String, String, Data?, String?, Int, String)] = [
      ("POST", "/v1/examples", image, type, 400, "no-label"),
      ("POST", "/v1/examples?label=nine", image, type, 422, "unknown-label"),
      ("POST", "/v1/examples?label=4", image, type, 422, "unknown-label"),
      ("POST", "/v1/examples?label=1", Data("no image".utf8), type, 400, "broken-image"),
      ("POST", "/v1/examples?label=1", image.dropLast(9), type, 400, "broken-image"),
      ("POST", "/v1/examples?label=1", large, type, 400, "broken-image"),
      ("POST", "/v1/examples?label=1", image, "text/plain", 415, "content-type"),
      ("POST", "/v1/examples?label=1", Data(count: 5_000), type, 413, "too-large"),
      (
        "PUT", "/v1/labels/0123456789abcdef", Data("{\"label\": 1}".utf8), "application/json", 404,
        "unknown-id"
      ),
      ("PUT", "/v1/labels/0123456789abcdef", Data("[1]".utf8), "application/json", 400, "bad-request"),
      ("POST", "/v1/predict", image, type, 503, "not-ready"),
      ("POST", "/v1/predict?top=0", image, type, 400, "bad-request"),
      ("POST", "/v1/checkpoint", nil, nil, 503, "not-ready"),
      ("GET", "/v2/models/other", nil, nil, 404, "not-found"),
      ("POST", "/v2/models/onepass/infer", Data("{}".utf8), "application/json", 400, "bad-request"),
    ]
    for (method, path, body, type, status, problem) in cases {
      let answer = try server.request(method, path, body, type: type)
      #expect(
        answer.status == status && answer.problem == problem,
        "\(method) \(path): \(answer.status) \(answer.json)")
    }
    let unknown = try server.request("POST", "/v1/examples?label=x", image, type: type)
    #expect(unknown.json["classes"] as? [String] == ["0", "1", "2", "3"])
    #expect(try server.request("GET", "/v1/status", headers: ["Host": "example.org"]).status == 403)
    #expect(try server.examples("accepted") == 0)
    #expect(server.terminate() == 0)
  }

  @Test("A body that is compressed, malformed or cut is refused, and a client that asks first may send it")
  func bodies() throws {
    let server = try Server(options: ["insecure-loopback: true", "body-limit: 4kB"])
    let (image, type) = (Server.image(0), "image/x-portable-graymap")
    let compressed = try server.request(
      "POST", "/v1/examples?label=1", image, type: type, headers: ["Content-Encoding": "gzip"])
    #expect(compressed.status == 415 && compressed.problem == "content-encoding")
    #expect(compressed.headers["accept-encoding"] == "identity")
    func raw(_ fields: String, _ body: [UInt8]) throws -> RawConnection {
      let connection = try RawConnection(port: server.port)
      let head =
        "POST /v1/examples?label=1 HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\nContent-Type: \(type)\r\n"
      connection.send(Array("\(head)Connection: close\r\n\(fields)\r\n\r\n".utf8) + body)
      return connection
    }
    let malformed = try raw("Transfer-Encoding: chunked", Array("zz\r\nabc\r\n0\r\n\r\n".utf8)).answer()
    #expect(malformed.status == 400 && malformed.problem == "bad-request")
    #expect(try server.examples("accepted") == 0)

    let asking = try raw("Expect: 100-continue\r\nContent-Length: \(image.count)", [])
    let first = asking.receive { $0.suffix(4) == Array("\r\n\r\n".utf8)[...] }
    #expect(String(decoding: first, as: UTF8.self) == "HTTP/1.1 100 Continue\r\n\r\n")
    asking.send(Array(image))
    #expect(try asking.answer().status == 201)
    let refused = try raw("Expect: 100-continue\r\nContent-Length: 5000", []).answer()
    #expect(refused.status == 413 && refused.problem == "too-large")
    #expect(server.terminate() == 0)
  }

  @Test(
    "A service with TLS serves over TLS only", .enabled(if: TLSServer.openssl != nil, "\(TLSServer.reason)"))
  func tls() throws {
    let folder = try TemporaryFolder()
    try TLSServer.makeCertificate(.right, in: folder)
    let server = try Server(
      folder,
      options: [
        "insecure-loopback: true", "certificate: \(folder.file("own.pem"))", "key: \(folder.file("own.key"))",
      ])
    try folder.write(
      Array("GET /v2/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8),
      to: "request")
    let client = try Program(path: TLSServer.openssl ?? "openssl").run(
      [
        "s_client", "-connect", "127.0.0.1:\(server.port)", "-CAfile", folder.file(TLSServer.authority),
        "-verify_return_error", "-verify_ip", "127.0.0.1", "-quiet",
      ], input: folder.file("request"))
    #expect(client.output.contains("{\"live\":true}"), "\(client.output) \(client.errors)")
    let plain = try RawConnection(port: server.port)
    plain.send(Array("GET /v2/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8))
    #expect(!String(decoding: plain.receive { _ in false }, as: UTF8.self).contains("200"))
    #expect(server.terminate() == 0)
    let other = try TemporaryFolder()
    try TLSServer.makeCertificate(.selfSigned, in: other)
    let outcome = try Server.failing(
      other,
      [
        "insecure-loopback: true", "certificate: \(folder.file("own.pem"))", "key: \(other.file("own.key"))",
      ])
    #expect(outcome.status == 64 && outcome.errors.contains("are not a certificate chain and its key"))
  }

  @Test("Predictions over HTTP, late labels, the protocol and the figures agree")
  func predictions() throws {
    let server = try Server()
    for index in 0..<32 { _ = try server.learn(index) }
    try server.waitUntilTrained(32)
    #expect(try server.request("GET", "/v2/health/ready").json["ready"] as? Bool == true)
    let type = "image/x-portable-graymap"
    let image = Server.image(50)
    let kept = try server.request("POST", "/v1/predictions?top=4", image, type: type)
    #expect(kept.status == 201)
    let id = try #require(kept.json["id"] as? String)
    #expect(kept.headers["location"] == "/v1/labels/\(id)")
    let classes = try #require(kept.json["classes"] as? [[String: Any]])
    let plain = try server.request("POST", "/v1/predict?top=4", image, type: type)
    #expect(plain.json["classes"] as? NSArray == classes as NSArray)
    let inference = try server.request(
      "POST", "/v2/models/onepass/infer",
      Data(
        "{\"inputs\":[{\"name\":\"image\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"\(image.base64EncodedString())\"]}]}"
          .utf8),
      type: "application/json")
    let outputs = try #require(inference.json["outputs"] as? [[String: Any]])
    let probabilities = try #require(outputs[0]["data"] as? [Double])
    for known in classes {
      let (label, probability) = (known["label"] as? Int ?? -1, known["probability"] as? Double ?? -1)
      #expect(abs(probabilities[label] - probability) < 1e-6)
    }
    let predicted = try #require(classes[0]["label"] as? Int)
    func label(_ value: Int) throws -> Answer {
      try server.request(
        "PUT", "/v1/labels/\(id)", Data("{\"label\": \(value)}".utf8), type: "application/json")
    }
    let labelled = try label(predicted)
    #expect(
      labelled.status == 201 && labelled.json["position"] as? Int == 32
        && labelled.json["correct"] as? Bool == true)
    #expect(try label(predicted).status == 200)
    #expect(try label((predicted + 1) % 4).problem == "label-differs")
    let metrics = String(decoding: try server.request("GET", "/metrics").body, as: UTF8.self)
    #expect(metrics.contains("\nonepass_examples_accepted_total 33\n"))
    #expect(metrics.contains("\nonepass_late_labels_correct_total 1\n"))
    #expect(
      metrics.contains("onepass_http_requests_total{route=\"/v1/predict\",method=\"POST\",code=\"200\"} 1"))
    let page = try server.request("GET", "/")
    #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    #expect(server.terminate() == 0)
  }

  @Test("Several examples in one body are accepted together, or not at all")
  func multipart() throws {
    let server = try Server()
    func body(_ labels: [String]) -> Data {
      var data = Data()
      for (index, label) in labels.enumerated() {
        data += Data(
          "--line\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.pgm\"\r\n\r\n".utf8)
        data += Server.image(index)
        data += Data("\r\n--line\r\nContent-Disposition: form-data; name=\"label\"\r\n\r\n\(label)\r\n".utf8)
      }
      return data + Data("--line--\r\n".utf8)
    }
    let type = "multipart/form-data; boundary=line"
    #expect(
      try server.request("POST", "/v1/examples", body(["1", "x"]), type: type).problem
        == "unknown-label")
    #expect(
      try server.request("POST", "/v1/examples", body(["1"]).dropLast(9), type: type).problem
        == "bad-request")
    let accepted = try server.request("POST", "/v1/examples", body(["1", "2", "3"]), type: type)
    #expect(accepted.status == 201 && accepted.json["positions"] as? [Int] == [0, 1, 2])
    #expect(try server.examples("accepted") == 3)
    #expect(server.terminate() == 0)
  }

  @Test("A service that cannot start says why, with its exit status")
  func failures() throws {
    let folder = try TemporaryFolder()
    let running = try Server(folder)
    func check(_ options: [String], _ status: Int32, _ text: String, in other: TemporaryFolder? = nil) throws
    {
      let outcome = try Server.failing(other ?? TemporaryFolder(), options)
      #expect(
        outcome.status == status && outcome.errors.contains(text),
        "\(options): \(outcome.status) \(outcome.errors)")
    }
    try check(["insecure-loopback: true"], 64, "another service uses this folder", in: folder)
    try check(["insecure-loopback: true", "listen: 127.0.0.1:\(running.port)"], 74, "cannot listen there")
    try check([], 64, "tokens is required")
    try check(["tokens: /nowhere/tokens"], 74, "/nowhere/tokens")
    try check(["insecure-loopback: true", "listen: 0.0.0.0:0"], 64, "requires a loopback address")
    try check(["insecure-loopback: true", "speed: 9"], 64, "serve.yaml:12: speed is not an option")
    try check(["insecure-loopback: true", "certificate: a.pem", "key: b.pem"], 74, "a.pem: cannot be read")
    let open = try TemporaryFolder()
    try open.write(Array("see 0123456789abcdef0\n".utf8), to: "open-tokens")
    chmod(open.file("open-tokens"), 0o644)
    try check(["tokens: \(open.file("open-tokens"))"], 64, "chmod 600")
    #expect(running.terminate() == 0)
  }
}
