import Foundation
import TestSupport
import Testing

/// A real signal to a real run.
@Suite(.serialized) struct CoolDownTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try StripedImages(count: 1_600, side: 28).write(to: folder)
    try StripedImages(count: 40, side: 28, seed: 2).write(to: folder, prefix: "t10k")
  }

  /// 100 steps of 16 examples: one update in the first, two in each other.
  func arguments(_ name: String, _ more: [String]) -> [String] {
    [
      "train", "--data", "idx:\(folder.path)", "--eval-data", "idx:\(folder.path):test", "--model", "resnet8",
      "--batch-size", "16", "--threads", "1", "--replay-steps", "1", "--log", "jsonl", "--output",
      folder.file(name),
    ] + more
  }

  /// Waits until a run has logged so many steps, each of which is a line at once.
  func wait(for steps: Int, of running: RunningProgram) -> Bool {
    running.wait {
      guard let lines = try? folder.bytes(of: "run/metrics.jsonl") else { return false }
      return lines.count { $0 == UInt8(ascii: "\n") } >= steps
    }
  }

  func column(_ name: String, of run: String) throws -> [Double] {
    let lines = String(decoding: try folder.bytes(of: "\(run)/curve.csv"), as: UTF8.self)
      .split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    let place = try #require(lines[0].firstIndex(of: name))
    return lines.dropFirst().compactMap { Double($0[place]) }
  }

  @Test func aSignalHasARunCoolDownAndFinish() throws {
    let running = try RunningProgram(
      onepass, arguments("run", ["--schedule", "on-demand", "--cool-down", "0.3", "--warm-up", "0.02"]))
    #expect(wait(for: 12, of: running))
    running.signal(SIGUSR1)
    #expect(running.wait(for: "Cooling down over"))
    // A second one changes nothing.
    running.signal(SIGUSR1)
    #expect(running.wait() == 0, "\(running.errors)")
    #expect(running.errors.components(separatedBy: "Cooling down over").count == 2)
    #expect(running.errors.contains("The run ended as it was asked to, after"), "\(running.errors)")

    let result = jsonObject(Data(try folder.bytes(of: "run/result.json")))
    let before = try #require(result.number("coolDown.stepsBefore"))
    let made = 1 + 2 * (before - 1)
    #expect(result.number("coolDown.updatesBefore") == made)
    // The share of the cool-down in all updates is 0.3, in whole steps of two.
    let steps = max(1, ((made * 0.3 / 0.7).rounded() / 2).rounded(.up))
    #expect(result.number("coolDown.steps") == steps && result.number("coolDown.updates") == 2 * steps)
    #expect(before + steps < 100, "The signal came too late to say anything.")
    #expect(result.number("stream.examples") == 16 * (before + steps))
    #expect(result.number("compute.updates") == made + 2 * steps)
    #expect(result.number("accuracy.examples") == 40 && !folder.exists("run/unfinished"))

    let (rates, updates) = (try column("learning_rate", of: "run"), try column("updates", of: "run"))
    #expect(rates.count == Int(before + steps))
    // 199 updates were planned, of which 4 are a warm-up.
    for (rate, update) in zip(rates, updates.map { $0 - 1 }) {
      let top = min(1, (min(update, made) + 1) / 5)
      let share = update < made ? 1 : (made + 2 * steps - update) / (2 * steps)
      #expect(abs(rate - 0.1 * top * share) < 1e-12, "update \(update): \(rate)")
    }
    #expect(try onepass.run(["memory", "verify", folder.file("run")]).status == 0)
    let again = try onepass.run(arguments("run", ["--schedule", "on-demand", "--resume"]))
    #expect(again.status == 0 && again.errors.contains("is finished"), "\(again.errors)")
  }

  /// A signal to a grid reaches the cell that trains, and the next one is a whole run.
  @Test func aSignalToAGridReachesItsCell() throws {
    let grid = """
      options:
        data: "idx:\(folder.path)"
        model: resnet8
        batch-size: 16
        threads: 1
        schedule: on-demand
      seeds: 1
      cells:
        - {method: naive}
        - {method: naive, limit: 160}
      """
    try folder.write(Array(grid.utf8), to: "grid.yaml")
    let running = try RunningProgram(
      onepass,
      ["experiment", "run", folder.file("grid.yaml"), "--output", folder.file("runs"), "--progress", "lines"])
    #expect(running.wait(for: "naive-seed1: running"))
    running.signal(SIGUSR1)
    #expect(running.wait() == 0, "\(running.errors)")
    let asked = jsonObject(Data(try folder.bytes(of: "runs/naive-seed1/result.json")))
    let steps = try #require(asked.number("coolDown.stepsBefore")) + (asked.number("coolDown.steps") ?? 0)
    #expect(steps < 100 && asked.number("stream.examples") == 16 * steps)
    let next = jsonObject(Data(try folder.bytes(of: "runs/naive-limit-160-seed1/result.json")))
    #expect(next.number("coolDown.steps") == nil && next.number("stream.examples") == 160)
  }

  @Test func aStraySignalEndsNothing() throws {
    let running = try RunningProgram(onepass, arguments("run", ["--limit", "320"]))
    #expect(wait(for: 1, of: running))
    running.signal(SIGUSR1)
    #expect(running.wait() == 0, "\(running.errors)")
    #expect(
      running.errors.contains("A run with --schedule cosine cannot be ended before its time, and goes on"))
    #expect(jsonObject(Data(try folder.bytes(of: "run/result.json"))).number("stream.examples") == 320)
  }

  @Test func whatKeepsItsDataNeedsNoSuchEnd() throws {
    let outcome = try onepass.run(
      arguments("run", ["--schedule", "on-demand", "--method", "multi-epoch", "--epochs", "2"]))
    #expect(
      outcome.status == 64 && outcome.errors.contains("--method multi-epoch keeps all data: use trapezoid"),
      "\(outcome.errors)")
  }
}
