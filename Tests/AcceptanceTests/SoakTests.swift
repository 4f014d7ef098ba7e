import Foundation
import OnePassCore
import TestSupport
import Testing

/// Tests that take minutes: `make soak` sets `ONEPASS_SOAK` to the number of kills.
@Suite("Many runs killed at random", .enabled(if: FaultTests.isSoak, "runs under make soak only"))
struct SoakTests {
  /// Each run is killed at a random instant, resumed, and equals the uninterrupted run.
  @Test("Every run that is killed at a random instant ends the same")
  func runsKilledAtRandomInstantsEndTheSame() throws {
    let kills = Int(ProcessInfo.processInfo.environment["ONEPASS_SOAK"] ?? "") ?? 200
    let faults = try FaultTests()
    let folder = faults.folder
    // 25 steps, with a checkpoint after each, so that most of the time is training.
    try StripedImages(count: 400, side: 20).write(to: folder)
    var lengths: [FaultTests.Place: Double] = [:]
    for place in FaultTests.Place.allCases {
      try FileManager.default.createDirectory(
        atPath: folder.file("whole-\(place)"), withIntermediateDirectories: true)
      let running = try RunningProgram(onepass, faults.arguments(place, "whole-\(place)"))
      #expect(running.wait { folder.exists("whole-\(place)/run/unfinished") })
      lengths[place] = ContinuousClock().measure { #expect(running.wait() == 0) } / .seconds(1)
    }
    var chance = SeededGenerator(seed: 1, .test)
    var (equal, inTheMiddle) = (0, 0)
    for number in 0..<kills {
      let place = FaultTests.Place.allCases[number % 2]
      try faults.remove("broken")
      let running = try RunningProgram(onepass, faults.arguments(place, "broken"))
      _ = running.wait { folder.exists("broken/run/unfinished") }
      let share = chance.nextUnit()
      Thread.sleep(forTimeInterval: (lengths[place] ?? 0) * share)
      running.signal(SIGKILL)
      _ = running.wait()
      if folder.exists("broken/run/unfinished"), !folder.exists("broken/run/result.json") { inTheMiddle += 1 }
      let resumed = try onepass.run(faults.arguments(place, "broken"))
      let isEqual = try resumed.status == 0 && faults.outcome("broken") == faults.outcome("whole-\(place)")
      #expect(isEqual, "kill \(number) after \(share) of the run, \(place): \(resumed.errors)")
      equal += isEqual ? 1 : 0
    }
    print(
      "soak: \(equal) of \(kills) killed runs equal the uninterrupted one; \(inTheMiddle) were killed between start and end"
    )
    #expect(equal == kills && inTheMiddle > kills / 2)
  }
}
