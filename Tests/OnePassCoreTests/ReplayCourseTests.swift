import OnePassCore
import Testing

@Suite("Distribution of replay steps over a run") struct ReplayCourseTests {
  @Test(
    "The total number of replay steps is the same for every course", arguments: ReplayCourse.allCases,
    [0, 1, 3, 8, 10_000])
  func theTotalIsTheSameForEachCourse(course: ReplayCourse, k: Int) {
    for steps in [1, 2, 3, 79, 10_009] {
      let replays = (0..<steps).map { course.replays(at: $0, of: steps, average: k) }
      #expect(replays.reduce(0, +) == k * (steps - 1) && replays[0] == 0, "\(steps) steps")
      #expect(replays.allSatisfy { $0 >= 0 })
    }
  }

  @Test("The rising course grows linearly")
  func risingFollowsALine() {
    // k = 8 over 1,000 steps with replay: 16 · s/1,000 at step s, up to the rounding of two cumulative sums.
    for step in 1...1_000 {
      let replays = ReplayCourse.rising.replays(at: step, of: 1_001, average: 8)
      #expect(abs(Double(replays) - 16 * (Double(step) - 0.5) / 1_000) < 1, "step \(step): \(replays)")
    }
  }

  /// The intermediate product exceeds 64 bits.
  @Test("The rising course of a long stream does not overflow")
  func aLongStreamDoesNotOverflow() {
    let steps = 1 << 40
    let last = ReplayCourse.rising.replays(at: steps - 1, of: steps, average: 10_000)
    #expect(abs(last - 20_000) <= 1)
  }
}
