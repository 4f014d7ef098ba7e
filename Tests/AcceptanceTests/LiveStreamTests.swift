import Foundation
import OnePassBrokers
import TestSupport
import TestTraits
import Testing

/// Runs on a stream of a broker, compared with runs on the same examples in a file.
@Suite(
  "Runs on Redis streams", .waitsForPrograms,
  .enabled(if: RedisServer.isInstalled, Comment(rawValue: RedisServer.reason)))
struct LiveStreamTests {
  let server: RedisServer
  let runs: RunFixture
  let images = StripedImages(count: 240, side: 16)
  private static let live = [
    "--classes", "4", "--replay-steps", "1", "--storage", "20", "--schedule", "constant",
  ]

  init() throws {
    server = try RedisServer(isDurable: true)
    runs = try RunFixture(images, options: small + Self.live)
  }

  /// Sends the packed examples.
  private func send(_ stream: String = "s", _ more: [String] = []) throws {
    let shard =
      runs.folder.exists("train.tar") ? "wds:\(runs.folder.file("train.tar"))" : try runs.pack("train.tar")
    let sent = try onepass.run(["send", shard, "--to", server.url(stream)] + more)
    #expect(sent.status == 0, "\(sent.errors)")
  }

  private var data: String { server.url("s") }

  @Test(
    "A run on a stream ends with the weights of a run on the same examples in a shard",
    arguments: [
      [], ["--record", "json"], ["--record", "cloudevents"], ["--record", "tar", "--per-message", "7"],
    ])
  func equalsShard(form: [String]) throws {
    try send("s", form)
    try runs.train("shard", ["--limit", "240"], data: "wds:\(runs.folder.file("train.tar"))")
    try runs.train("live", ["--limit", "240"] + Array(form.prefix(2)), data: data)
    try runs.expectSame("shard", "live", ["checkpoint/model.safetensors", "checkpoint/memory.csv", "ledger"])
    try runs.expectVerified("live")
    let result = try runs.result("live")
    #expect(result.number("stream.lag") == 0)
    #expect(result.number("stream.lost") == 0)
    #expect(result.number("storage.fetchedBytes") ?? 0 > 0)
  }

  @Test("A stream without an end is stopped while it is silent, and continues when messages arrive")
  func silence() throws {
    try send()
    try runs.train("whole", ["--limit", "240"], data: data)
    let endless = try runs.start("run", ["--progress", "json"], data: data)
    #expect(endless.wait(for: "waiting"))
    endless.signal(SIGTERM)
    #expect(endless.wait() == 75)
    #expect(endless.errors.contains("\"lag\":"))
    // The same stream again, to its known end.
    let late = try runs.start("late", ["--limit", "240", "--progress", "json"], data: server.url("late"))
    #expect(late.wait() == 68)
    try server.cli(["XADD", "late", "*", "note", "x"])
    let waiting = try runs.start(
      "late", ["--limit", "240", "--progress", "json", "--broken-limit", "0.5"], data: server.url("late"))
    #expect(waiting.wait(for: "waiting"))
    try send("late")
    #expect(waiting.wait() == 0)
    try runs.expectSame("whole", "late")
    #expect(try runs.result("late").number("stream.leftOut.no image") == 1)
    let rejected = jsonObject(Data(try runs.folder.bytes(of: "late/rejected.jsonl")))
    #expect(rejected["reason"] as? String == "no image" && rejected.number("position") == 0)
  }

  @Test("--until ends a stream at a time")
  func until() throws {
    try send()
    let end = Date(timeIntervalSinceNow: 6).formatted(.iso8601)
    try runs.train("run", ["--until", end], data: data)
    let result = try runs.result("run")
    #expect(result.number("stream.examples") == 240)
    let late = try runs.attempt("late", ["--until", "tomorrow"], data: data)
    #expect(late.status == 64)
    #expect(late.errors.contains("--until must be a time such as 2026-12-01T18:30"))
  }

  @Test("Removed messages stop a resumed run, or are counted")
  func gap() throws {
    try send()
    try runs.train("start", ["--limit", "240"], data: data)
    let stopped = try runs.start("run", ["--limit", "240", "--checkpoint-every", "2"], data: data)
    #expect(stopped.wait { runs.hasCheckpoint(of: 4, "run") })
    stopped.signal(SIGKILL)
    _ = stopped.wait()
    try server.cli(["XTRIM", "s", "MAXLEN", "20"])
    let refused = try runs.attempt(
      "run", ["--limit", "240", "--checkpoint-every", "2", "--resume"], data: data)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("were removed before they were read; keep messages for longer"))
    // Lost messages do not count towards the limit, so another end is needed.
    let end = Date(timeIntervalSinceNow: 6).formatted(.iso8601)
    try runs.resume(
      "run", ["--limit", "240", "--checkpoint-every", "2", "--on-gap", "continue", "--until", end], data: data
    )
    let result = try runs.result("run")
    let (taken, lost) = (result.number("stream.examples") ?? 0, result.number("stream.lost") ?? 0)
    #expect(lost > 0 && taken + lost == 240)
  }

  @Test("An error of the stream saves the run at its last step")
  func savedAfterGap() throws {
    try send()
    let running = try runs.start("run", ["--progress", "json"], data: data)
    #expect(running.wait(for: "waiting"))
    // Entries that are added and removed at once cannot be read.
    let script =
      "for i = 1, 3 do redis.call('XADD', KEYS[1], '*', 'body', 'x') end redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)"
    try server.cli(["EVAL", script, "1", "s"])
    #expect(running.wait() == 65)
    #expect(running.errors.contains("3 messages after"))
    #expect(running.errors.contains("The run is saved; fix the problem, and continue with --resume."))
    let end = Date(timeIntervalSinceNow: 4).formatted(.iso8601)
    try runs.resume("run", ["--on-gap", "continue", "--until", end], data: data)
    let result = try runs.result("run")
    #expect(result.number("stream.examples") == 240 && result.number("stream.lost") == 3)
    try runs.expectVerified("run")
  }

  @Test("Class names are sent on request, and numbers else")
  func names() throws {
    try runs.pack("train.tar")
    let names = ["a", "b", "c", "d"]
    for name in names { try runs.folder.write([UInt8]("x".utf8), to: "photos/\(name)/0.png") }
    let source = "folder:\(runs.folder.file("photos"))"
    for (more, expected) in [([], Set(["0", "1", "2", "3"])), (["--names"], Set(names))] {
      let sent = try onepass.run(["send", source, "--to", server.url("n\(more.count)")] + more)
      #expect(sent.status == 0, "\(sent.errors)")
      #expect(sent.errors.contains("Labels are sent as numbers: 0 a, 1 b, 2 c, 3 d.") == more.isEmpty)
      let lines = try server.cli(["XRANGE", "n\(more.count)", "-", "+"]).split(separator: "\n").map(
        String.init)
      let labels = zip(lines, lines.dropFirst()).filter { $0.0 == "label" }.map(\.1)
      #expect(Set(labels) == expected)
    }
  }

  @Test("A stream that was created again is recognised", arguments: ["1-0", "*"])
  func recreated(id: String) throws {
    try send()
    let options = ["--limit", "240", "--checkpoint-every", "2"]
    let stopped = try runs.start("run", options, data: data)
    #expect(stopped.wait { runs.hasCheckpoint(of: 4, "run") })
    stopped.signal(SIGKILL)
    _ = stopped.wait()
    let entries = try server.cli(["XRANGE", "s", "-", "+"])
    #expect(!entries.isEmpty)
    try server.cli(["DEL", "s"])
    try server.cli(["XADD", "s", id, "body", "x"])
    let refused = try runs.attempt("run", options + ["--resume"], data: data)
    #expect(refused.status == 65)
    #expect(refused.errors.contains("was created again, so it cannot"))
  }

  @Test(
    "What a stream needs is stated before anything is read",
    arguments: [
      (["--schedule", "cosine"], 64, "--schedule cosine needs the length of the stream"),
      (["--storage", "10%"], 64, "--storage 10% is a share of the stream, whose length is unknown"),
      (["--method", "multi-epoch"], 64, "a broker's stream passes once"),
      (["--resume", "--continue"], 64, "a broker's stream resumes at the place of the checkpoint"),
      (["--extend", "finished"], 64, "omit --extend"),
      (["--eval-data", "redis://localhost:1/x"], 64, "a broker's stream has no end"),
      (["--subject-key", "folder"], 64, "have no file names"),
      (["--label-key", "json:x"], 64, "messages with --record image have no such label"),
      (["--broker-config", "missing"], 74, "missing"),
    ])
  func refused(options: [String], status: Int32, words: String) throws {
    try server.cli(["XADD", "s", "*", "body", "x"])
    let outcome = try runs.attempt("run", options, data: data)
    #expect(outcome.status == status, "\(outcome.errors)")
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
  }

  @Test("A password is in no file and no output")
  func secrets() throws {
    let server = try RedisServer(password: "canary")
    let shard = try runs.pack("train.tar")
    let url = "redis://:canary@127.0.0.1:\(server.port)/s"
    #expect(try onepass.run(["send", shard, "--to", url]).status == 0)
    let trained = try runs.attempt("run", ["--limit", "240"], data: url)
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(!(trained.output + trained.errors).contains("canary"))
    #expect(try runs.folder.occurrences(of: "canary") == 0)
    try runs.folder.write(Array("# of the test\npassword = canary\n".utf8), to: "broker.txt")
    let wrong = try runs.attempt(
      "wrong", ["--limit", "240"], data: "redis://:guess@127.0.0.1:\(server.port)/s")
    #expect(wrong.status == 77)
    let byFile = try runs.attempt(
      "file", ["--limit", "240", "--broker-config", runs.folder.file("broker.txt")],
      data: "redis://127.0.0.1:\(server.port)/s")
    #expect(byFile.status == 0, "\(byFile.errors)")
  }
}
