import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("A signal makes a run cool down", .waitsForPrograms, .serialized) struct CoolDownTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  /// 100 steps of 16 examples: one update in the first, two in each other.
  init() throws {
    runs = try RunFixture(
      StripedImages(count: 1_600, side: 28), evaluation: StripedImages(count: 40, side: 28, seed: 2),
      options: [
        "--model", "resnet8", "--batch-size", "16", "--threads", "1", "--replay-steps", "1", "--log", "jsonl",
      ])
  }

  /// Waits until a run has logged a number of steps, one line per step.
  func wait(for steps: Int, of running: RunningProgram) -> Bool {
    running.wait {
      guard let lines = try? folder.bytes(of: "run/metrics.jsonl") else { return false }
      return lines.count { $0 == UInt8(ascii: "\n") } >= steps
    }
  }

  @Test("A run that gets SIGUSR1 cools down and finishes")
  func aSignalMakesARunCoolDown() throws {
    let running = try runs.start(
      "run", ["--schedule", "on-demand", "--cool-down", "0.3", "--warm-up", "0.02"])
    #expect(wait(for: 12, of: running))
    running.signal(SIGUSR1)
    #expect(running.wait(for: "Cooling down over"))
    // A second signal has no effect.
    running.signal(SIGUSR1)
    #expect(running.wait() == 0, "\(running.errors)")
    #expect(running.errors.components(separatedBy: "Cooling down over").count == 2)
    #expect(running.errors.contains("The run ended by request after"), "\(running.errors)")

    let result = try runs.result("run")
    let before = try #require(result.number("coolDown.stepsBefore"))
    let made = 1 + 2 * (before - 1)
    #expect(result.number("coolDown.updatesBefore") == made)
    // The cool-down is 0.3 of all updates, rounded to steps of two updates.
    let steps = max(1, ((made * 0.3 / 0.7).rounded() / 2).rounded(.up))
    #expect(result.number("coolDown.steps") == steps && result.number("coolDown.updates") == 2 * steps)
    #expect(before + steps < 100, "The signal came too late to say anything.")
    #expect(result.number("stream.examples") == 16 * (before + steps))
    #expect(result.number("compute.updates") == made + 2 * steps)
    #expect(result.number("accuracy.examples") == 40 && !folder.exists("run/unfinished"))

    let rates = try runs.column("learning_rate", of: "run").compactMap(Double.init)
    let updates = try runs.column("updates", of: "run").compactMap(Double.init)
    #expect(rates.count == Int(before + steps))
    // 199 updates are planned, 4 of them for the warm-up.
    for (rate, update) in zip(rates, updates.map { $0 - 1 }) {
      let top = min(1, (min(update, made) + 1) / 5)
      let share = update < made ? 1 : (made + 2 * steps - update) / (2 * steps)
      #expect(abs(rate - 0.1 * top * share) < 1e-12, "update \(update): \(rate)")
    }
    try runs.expectVerified("run")
    let again = try runs.resume("run", ["--schedule", "on-demand"])
    #expect(again.errors.contains("is already finished"), "\(again.errors)")
  }

  /// A signal to a grid reaches the running cell; the next cell trains to its planned end.
  @Test("A signal to a grid cools down the cell that is training, and no other")
  func aSignalToAGridReachesItsCell() throws {
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
    let asked = try runs.result("runs/naive-seed1")
    let steps = try #require(asked.number("coolDown.stepsBefore")) + (asked.number("coolDown.steps") ?? 0)
    #expect(steps < 100 && asked.number("stream.examples") == 16 * steps)
    let next = try runs.result("runs/naive-limit-160-seed1")
    #expect(next.number("coolDown.steps") == nil && next.number("stream.examples") == 160)
  }

  @Test("A signal does not end a run whose schedule cannot cool down")
  func aSignalWithoutACoolDownIsIgnored() throws {
    let running = try runs.start("run", ["--limit", "320"])
    #expect(wait(for: 1, of: running))
    running.signal(SIGUSR1)
    #expect(running.wait() == 0, "\(running.errors)")
    #expect(
      running.errors.contains("--schedule cosine does not cool down on request"))
    #expect(try runs.result("run").number("stream.examples") == 320)
  }

  @Test("A multi-epoch run does not accept the on-demand schedule")
  func multiEpochRunsHaveNoOnDemandSchedule() throws {
    let outcome = try runs.attempt(
      "run", ["--schedule", "on-demand", "--method", "multi-epoch", "--epochs", "2"])
    #expect(
      outcome.status == 64 && outcome.errors.contains("--method multi-epoch; use --schedule trapezoid"),
      "\(outcome.errors)")
  }
}
