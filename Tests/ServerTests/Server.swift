import Foundation
import TestSupport
import Testing

/// A running `onepass-serve` on a free port of the loopback interface.
final class Server {
  let folder: TemporaryFolder
  let port: Int
  private let program: RunningProgram
  static let tokens = Dictionary(
    uniqueKeysWithValues: ["learn", "predict", "manage", "see"].map { ($0, "\($0)-0123456789abcdef") })
  private static let images = StripedImages(count: 200)

  /// - Parameters:
  ///   - folder: The folder of an earlier server; a new one if `nil`.
  ///   - options: Lines of the section `serve:` besides folder and address.
  init(_ folder: TemporaryFolder? = nil, options: [String] = ["insecure-loopback: true"]) throws {
    self.folder = try folder ?? TemporaryFolder()
    program = try RunningProgram(.built("onepass-serve"), ["--config", Self.write(self.folder, options)])
    guard program.wait(for: "listening on http"), let port = Self.port(in: program.errors) else {
      throw Failure(text: program.errors)
    }
    self.port = port
  }

  struct Failure: Error {
    let text: String
  }

  /// Writes the configuration and the tokens.
  static func write(_ folder: TemporaryFolder, _ options: [String]) throws -> String {
    let address = options.contains { $0.hasPrefix("listen:") } ? [] : ["  listen: 127.0.0.1:0"]
    let lines =
      [
        "model: resnet8", "classes: 4", "batch-size: 8", "replay-steps: 1", "storage: 30", "threads: 1",
        "serve:", "  folder: \(folder.file("service"))", "  weights-every: 0.01s",
      ] + address + options.map { "  \($0)" }
    try folder.write(Array(lines.joined(separator: "\n").utf8), to: "serve.yaml")
    let text = tokens.sorted { $0.key < $1.key }.map { "\($0) \($1)" }.joined(separator: "\n")
    try folder.write(Array("# roles\n\(text)\n".utf8), to: "tokens")
    chmod(folder.file("tokens"), 0o600)
    return folder.file("serve.yaml")
  }

  /// Runs the program where it must fail.
  static func failing(_ folder: TemporaryFolder, _ options: [String]) throws -> Program.Outcome {
    try Program.built("onepass-serve").run(["--config", write(folder, options)])
  }

  private static func port(in log: String) -> Int? {
    log.split(whereSeparator: \.isNewline).first { $0.contains("listening on http") }.flatMap {
      Int($0.split(separator: ":").last ?? "")
    }
  }

  // MARK: Requests

  func request(
    _ method: String, _ path: String, _ body: Data? = nil, type: String? = nil, token: String? = nil,
    headers: [String: String] = [:]
  ) throws -> Answer {
    let connection = try RawConnection(port: port)
    var fields = ["Host": "127.0.0.1:\(port)", "Connection": "close"]
    if let body { fields["Content-Length"] = "\(body.count)" }
    if let type { fields["Content-Type"] = type }
    if let token { fields["Authorization"] = "Bearer \(token)" }
    fields.merge(headers) { $1 }
    let head = "\(method) \(path) HTTP/1.1\r\n" + fields.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
    connection.send(Array(head.utf8) + (body ?? Data()))
    return try connection.answer()
  }

  static func image(_ index: Int) -> Data { Data(Array("P5\n12 12\n255\n".utf8) + images.pixels(index)) }
  static func label(_ index: Int) -> Int { images.label(index) }

  func learn(_ index: Int, key: String? = nil, token: String? = nil) throws -> Answer {
    try request(
      "POST", "/v1/examples?label=\(Self.label(index))", Self.image(index), type: "image/x-portable-graymap",
      token: token, headers: key.map { ["Idempotency-Key": $0] } ?? [:])
  }

  func status(token: String? = nil) throws -> [String: Any] {
    try request("GET", "/v1/status", token: token).json
  }

  func examples(_ name: String, token: String? = nil) throws -> Int {
    let examples = try status(token: token)["examples"] as? [String: Any]
    return (examples?[name] as? NSNumber)?.intValue ?? -1
  }

  /// Waits until a number of examples is trained; no test waits that long.
  func waitUntilTrained(_ count: Int, token: String? = nil) throws {
    let end = ContinuousClock.now + .seconds(60)
    while try examples("trained", token: token) < count, .now < end {
      Thread.sleep(forTimeInterval: 0.02)
    }
    #expect(try examples("trained", token: token) >= count)
  }

  // MARK: The end

  func kill() {
    program.signal(SIGKILL)
    _ = program.wait()
  }

  /// - Returns: The exit status.
  func terminate() -> Int32 {
    program.signal(SIGTERM)
    return program.wait()
  }

  deinit { program.signal(SIGKILL) }
}
