import Foundation
import OnePass
import TestSupport
import TestTraits
import Testing

/// Standard error with `--progress json` and `--progress lines`.
@Suite("Progress for programs", .waitsForPrograms, .serialized) struct ProgressTests {
  private let runs: RunFixture

  /// 13 steps.
  init() throws {
    runs = try RunFixture(
      StripedImages(count: 200), evaluation: StripedImages(count: 40, seed: 2),
      options: [
        "--model", "resnet8", "--batch-size", "16", "--threads", "1", "--replay-steps", "1", "--progress",
        "json",
      ])
  }

  /// The events of a text, each of whose lines must be an object with a time and a known event.
  private func events(
    _ text: String, at location: SourceLocation = #_sourceLocation
  ) throws -> [[String: Any]] {
    let known = [
      "notice", "waiting", "started", "resumed", "step", "checkpoint", "evaluated", "stopped", "finished",
      "failed",
    ]
    let time = try Regex("20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9][.][0-9]{3}Z")
    #expect(text.isEmpty || text.hasSuffix("\n"), sourceLocation: location)
    var last = ""
    return try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      let event = try #require(object as? [String: Any], sourceLocation: location)
      #expect(known.contains(event["event"] as? String ?? ""), "\(line)", sourceLocation: location)
      let now = event["time"] as? String ?? ""
      #expect(try time.wholeMatch(in: now) != nil, "\(line)", sourceLocation: location)
      // Times of this form are ordered like their texts.
      #expect(last <= now, "\(line)", sourceLocation: location)
      last = now
      return event
    }
  }

  private func kinds(_ events: [[String: Any]]) -> [String] { events.compactMap { $0["event"] as? String } }

  private func only(_ kind: String, _ events: [[String: Any]]) -> [[String: Any]] {
    events.filter { $0["event"] as? String == kind }
  }

  @Test("Every line of a run is an event with its time, from the start to the result")
  func normal() throws {
    let before = ISO8601DateFormatter().string(from: Date())
    let outcome = try runs.train("run")
    let all = try events(outcome.errors)
    #expect(outcome.output.isEmpty)
    #expect(kinds(all).first == "notice" && kinds(all).last == "finished", "\(kinds(all))")
    // ISO 8601 in UTC, like the clock of the test.
    #expect(((all.first?["time"] as? String) ?? "") >= String(before.dropLast()))
    #expect(only("started", all).count == 1 && only("started", all)[0].number("plan.steps") == 13)
    #expect(only("step", all).last?.number("step.step") == 13)
    let evaluated = only("evaluated", all)
    #expect(evaluated.first?.number("examples") == 40 && evaluated.first?.number("total") == 40)
    let result = try runs.result("run")
    #expect(evaluated.last?.number("accuracy.top1") == result.number("accuracy.top1"))
    #expect(evaluated.last?.number("stepsDone") == 13)
    let finished = try #require(only("finished", all).first)
    #expect(finished["output"] as? String == runs.folder.file("run"))
    let texts = try [finished["result"] as? [String: Any] ?? [:], result].map {
      String(decoding: try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys), as: UTF8.self)
    }
    #expect(texts[0] == texts[1])
    #expect(all.allSatisfy { $0["rank"] == nil })

    let printed = try runs.train("printed", ["--json"])
    #expect(printed.output.split(separator: "\n").count == 1)
    #expect(printed.json.number("accuracy.top1") == result.number("accuracy.top1"))
    let again = try events(runs.resume("run").errors)
    #expect(kinds(again) == ["notice", "finished"], "\(again)")
  }

  @Test("A stopped run reports its checkpoints and its stop, and a resumed one where it resumes")
  func stoppedAndResumed() throws {
    let options = ["--replay-steps", "20", "--checkpoint-every", "2"]
    let stopped = try runs.trainUntil(step: 4, "run", options)
    let all = try events(stopped.errors)
    #expect(kinds(all).last == "stopped" && only("resumed", all).isEmpty, "\(kinds(all))")
    let checkpoints = only("checkpoint", all)
    #expect(checkpoints.prefix(2).map { $0.number("stepsDone") } == [2, 4])
    #expect(checkpoints.allSatisfy { ($0.number("seconds") ?? -1) > 0 })
    let stop = try #require(all.last)
    let step = try #require(stop.number("stepsDone"))
    #expect(stop.number("status") == 75 && stop.number("steps") == 13 && step >= 4 && step < 13)
    #expect(stop["output"] as? String == runs.folder.file("run"))
    #expect((stop["message"] as? String)?.hasSuffix("run the same command with --resume.") == true)

    let resumed = try events(runs.resume("run", options).errors)
    #expect(
      kinds(resumed).filter { ["started", "resumed", "finished"].contains($0) } == [
        "started", "resumed", "finished",
      ])
    #expect(only("resumed", resumed)[0].number("stepsDone") == step)
    #expect(only("resumed", resumed)[0].number("examples") == 16 * step)
  }

  @Test("A failure is the last event, with its message and the exit status")
  func failures() throws {
    try runs.folder.write([1, 2, 3], to: "broken/0/1.png")
    try runs.folder.write([1, 2, 3], to: "broken/1/2.png")
    let broken = "folder:\(runs.folder.file("broken"))"
    for (options, status, text) in [
      (["--modle", "resnet8"], 64, "Unknown option '--modle'"), (["--storage", "5000"], 64, "exceeds the"),
      (["--limit", "0"], 64, "--limit must be at least 1 (got 0)."),
      (["--data", broken], 65, "broken"), (["--data", "folder:/no/such/folder"], 74, "/no/such/folder"),
    ] as [([String], Int32, String)] {
      let outcome = try runs.attempt("failed", options)
      let all = try events(outcome.errors)
      #expect(outcome.status == status && outcome.output.isEmpty, "\(options): \(outcome.errors)")
      let failed = try #require(all.last)
      #expect(failed["event"] as? String == "failed" && failed.number("status") == Double(status))
      let message = failed["message"] as? String ?? ""
      #expect(message.contains(text) && !message.hasPrefix("Error:"), "\(options): \(message)")
    }
  }

  @Test("Of several ranks only the first writes, and a rank that waits says for what")
  func ranks() throws {
    let outcomes = try Ranks.run(2, of: onepass, runs.arguments("ranks"))
    #expect(outcomes.map(\.status) == [0, 0] && outcomes[1].errors.isEmpty, "\(outcomes.map(\.errors))")
    let all = try events(outcomes[0].errors)
    #expect(kinds(all).last == "finished" && all.allSatisfy { $0.number("rank") == 0 })

    let alone = try onepass.run(
      runs.arguments("alone", ["--wait-for-ranks", "13s"]),
      environment: [
        "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "\(try Ranks.freePort())",
      ])
    let waits = try events(alone.errors)
    try #require(kinds(waits) == ["waiting", "failed"])
    #expect(waits.allSatisfy { $0.number("rank") == 1 })
    #expect((10..<13).contains(waits[0].number("seconds") ?? 0))
    #expect((waits[0]["message"] as? String)?.hasSuffix("s: connection refused.") == true)
    #expect(alone.status == 75 && waits[1].number("status") == 75)
  }

  /// The path is in a notice about the kind of the source.
  @Test("Quotes, line breaks and control characters in names stay on one line")
  func names() throws {
    let name = "a \"b\"\nc\r\u{1B}[31m\u{7F}\t\\n é\u{2028}"
    for index in 0..<40 {
      try runs.folder.write(try ForgettingTests.file(index), to: "\(name)/\(index % 2)/\(index).png")
    }
    let path = runs.folder.file(name)
    let options = ["--data", path, "--eval-data", path, "--output", runs.folder.file("out\n\"2\"")]
    let json = try runs.attempt(nil, options)
    let all = try events(json.errors)
    #expect(json.status == 0, "\(json.errors)")
    #expect(
      only("notice", all).contains { ($0["message"] as? String)?.contains(path) == true }, "\(json.errors)")
    #expect(all.last?["output"] as? String == runs.folder.file("out\n\"2\""))

    let lines = try runs.attempt("lines", options.dropLast(2) + ["--progress", "lines"])
    #expect(lines.status == 0, "\(lines.errors)")
    try expectTimed(lines.errors)
    #expect(lines.errors.contains("c\\x0D\\x1B[31m\\x7F"), "\(lines.errors)")
  }

  private func expectTimed(_ text: String) throws {
    let start = try Regex("^20[0-9-]{8}T[0-9:]{8}[.][0-9]{3}Z .")
    for line in text.split(separator: "\n") {
      #expect(try start.prefixMatch(in: line) != nil, "\(line)")
      #expect(!line.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }, "\(line)")
    }
  }

  @Test("Plain lines start with the time, also those of a stop and of an error")
  func plainLines() throws {
    let outcome = try runs.train("run", ["--progress", "lines"])
    try expectTimed(outcome.errors)
    for text in ["Z Training on 200 examples", "Z 100 %  step 13/13", "Z evaluated after 13 steps  top-1 "] {
      #expect(outcome.errors.contains(text), "\(outcome.errors)")
    }
    #expect(outcome.output.contains("compute    "))
    let options = ["--progress", "lines", "--replay-steps", "20", "--checkpoint-every", "2"]
    let stopped = try runs.trainUntil(step: 2, "parts", options)
    try expectTimed(stopped.errors)
    #expect(stopped.errors.contains("Z Stopped after step "), "\(stopped.errors)")
    let resumed = try runs.resume("parts", options)
    try expectTimed(resumed.errors)
    #expect(resumed.errors.contains("Z Resumed after "), "\(resumed.errors)")
    let failed = try runs.attempt("failed", ["--progress", "lines", "--storage", "5000"])
    try expectTimed(failed.errors)
    #expect(failed.errors.contains("Z Error: --storage"), "\(failed.errors)")
  }

  /// Half of the shard arrives, and the rest 12 seconds later.
  @Test("A stream that delivers nothing is reported")
  func silentStream() throws {
    try runs.pack("stream.tar")
    let shard = runs.folder.file("stream.tar")
    let half = try FileManager.default.attributesOfItem(atPath: shard)[.size] as? Int ?? 0
    let outcome = try Program(path: "/bin/sh").run(
      [
        "-c", #"(head -c \#(half / 2) "$0"; sleep 12; tail -c +\#(half / 2 + 1) "$0") | "$@""#, shard,
        onepass.path,
      ] + runs.arguments("silent", ["--limit", "200", "--classes", "4"], data: "wds:-"))
    let all = try events(outcome.errors)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let waits = only("waiting", all)
    try #require(waits.count == 1)
    #expect(
      waits[0]["message"] as? String == "wds:-: nothing has arrived for 10 s.", "\(waits)"
    )
    #expect((10..<12).contains(waits[0].number("seconds") ?? 0))
  }
}
