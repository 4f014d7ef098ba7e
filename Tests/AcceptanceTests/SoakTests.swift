import Foundation
import OnePassCore
import TestSupport
import Testing

/// What takes minutes: `make soak`, which sets `ONEPASS_SOAK` to the number of kills.
@Suite(.enabled(if: FaultTests.isSoak, "runs under make soak only"))
struct SoakTests {
  /// Killed at random instants, one after the other, and each run is as the unbroken one.
  @Test func killedAtRandomInstantsEveryRunIsTheUnbrokenOne() throws {
    let kills = Int(ProcessInfo.processInfo.environment["ONEPASS_SOAK"] ?? "") ?? 200
    let faults = try FaultTests()
    let folder = faults.folder
    let clock = ContinuousClock()
    for place in FaultTests.Place.allCases {
      try FileManager.default.createDirectory(
        atPath: folder.file("whole-\(place)"), withIntermediateDirectories: true)
      #expect(try onepass.run(faults.train(place, "whole-\(place)")).status == 0)
    }
    let length = try clock.measure {
      _ = try onepass.run(faults.train(.disk, "timed"))
    }
    var chance = SeededGenerator(seed: 1, .test)
    var (equal, inTheMiddle) = (0, 0)
    for number in 0..<kills {
      let place = FaultTests.Place.allCases[number % 2]
      try faults.remove("broken")
      let running = try RunningProgram(onepass, faults.train(place, "broken"))
      // Most of a short run is its start, in which nothing is written yet.
      let share = 0.3 + 0.7 * chance.nextUnit()
      Thread.sleep(forTimeInterval: length / .seconds(1) * share)
      running.signal(SIGKILL)
      _ = running.wait()
      if folder.exists("broken/run/unfinished"), !folder.exists("broken/run/result.json") { inTheMiddle += 1 }
      let resumed = try onepass.run(faults.train(place, "broken"))
      let isEqual = try resumed.status == 0 && faults.outcome("broken") == faults.outcome("whole-\(place)")
      #expect(isEqual, "kill \(number) after \(share) of \(length), \(place): \(resumed.errors)")
      equal += isEqual ? 1 : 0
    }
    print(
      "soak: \(equal) of \(kills) killed runs are the unbroken one; \(inTheMiddle) were killed between start and end"
    )
    #expect(equal == kills && inTheMiddle > kills / 3)
  }
}
