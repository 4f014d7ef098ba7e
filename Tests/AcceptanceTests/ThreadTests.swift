import Foundation
import TestSupport
import TestTraits
import Testing

/// libgomp reports its settings when it is loaded. (The tests themselves may run with variables that are removed here.)
@Suite("The threads of a run are recorded", .waitsForPrograms) struct ThreadTests {
  /// Trains with environment variables.
  /// - Returns: `threads` of the result, and the settings of libgomp by name.
  private func train(_ variables: [String], command: [String] = []) throws -> (
    threads: [String: Any], settings: [String: String]
  ) {
    let outcome = try Program(path: "/usr/bin/env").run(
      ["-u", "OMP_WAIT_POLICY", "-u", "GOMP_SPINCOUNT", "-u", "OMP_NUM_THREADS", "OMP_DISPLAY_ENV=verbose"]
        + variables
        + command + [onepass.path, "train", "--data", "synthetic:32:32:2", "--model", "resnet8"]
        + ["--batch-size", "16", "--replay-steps", "1", "--quiet", "--json", "--output", "none"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    var settings: [String: String] = [:]
    for line in outcome.errors.split(separator: "\n") {
      let parts = line.split(separator: "=").map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: " '"))
      }
      if parts.count == 2 { settings[String(parts[0].split(separator: " ").last ?? "")] = parts[1] }
    }
    return (try #require(outcome.json["threads"] as? [String: Any]), settings)
  }

  private func waiting(_ threads: [String: Any]) -> [String: String] {
    threads["waiting"] as? [String: String] ?? [:]
  }

  #if os(Linux)
    @Test("Without a variable of the user, threads look for work 10,000 times before they sleep")
    func defaultWaiting() throws {
      let run = try train([])
      #expect(waiting(run.threads) == ["setting": "GOMP_SPINCOUNT=10000", "origin": "onepass"])
      #expect(run.settings["GOMP_SPINCOUNT"] == "10000")
    }

    @Test("Variables of the user decide, and are recorded")
    func userDecides() throws {
      let passive = try train(["OMP_WAIT_POLICY=passive"])
      #expect(waiting(passive.threads) == ["setting": "OMP_WAIT_POLICY=passive", "origin": "environment"])
      #expect(passive.settings["OMP_WAIT_POLICY"] == "PASSIVE" && passive.settings["GOMP_SPINCOUNT"] == "0")
      let count = try train(["GOMP_SPINCOUNT=5", "OMP_WAIT_POLICY=active"])
      #expect(waiting(count.threads) == ["setting": "GOMP_SPINCOUNT=5", "origin": "environment"])
      #expect(count.settings["GOMP_SPINCOUNT"] == "5")
    }

    @Test(
      "A process that is bound to one processor has one thread, and the record says why",
      .enabled(
        if: ProcessInfo.processInfo.activeProcessorCount > 1
          && FileManager.default.isExecutableFile(atPath: "/usr/bin/taskset"),
        "one processor, or no taskset"))
    func bound() throws {
      let threads = try train([], command: ["taskset", "-c", "0"]).threads
      #expect(threads["compute"] as? Int == 1)
      #expect((threads["processors"] as? [String: Any])?["count"] as? Int == 1)
      #expect((threads["processors"] as? [String: Any])?["limit"] as? String == "affinity")
    }
  #endif
}
