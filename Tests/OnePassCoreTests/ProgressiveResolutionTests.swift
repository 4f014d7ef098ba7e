import OnePassCore
import Testing

/// The sides of a run, against values worked out by hand: S · (s + (1 − s) · 2T / T_max), to the nearest multiple.
@Suite struct ProgressiveResolutionTests {
  func sides(_ start: Double, full: Int, at steps: [Int], of total: Int = 100) -> [Int] {
    let course = ProgressiveResolution(from: start)
    return steps.map { course.side(at: RunProgress(step: $0, of: total), full: full) }
  }

  @Test("Small images grow by 4 pixels, large ones by 32, and have the full side from the middle on")
  func courses() {
    // 16, 17.6, 19.2, 24, 29.6, 31.7 pixels.
    #expect(
      sides(0.5, full: 32, at: [0, 5, 10, 25, 42, 49, 50, 99, 100]) == [16, 16, 20, 24, 28, 32, 32, 32, 32])
    // 12.0, 13.6, 16, 20.0, 27.7 pixels.
    #expect(sides(3.0 / 7, full: 28, at: [0, 5, 13, 25, 49, 50]) == [12, 12, 16, 20, 28, 28])
    // 112 is half-way between 96 and 128; 134.4, 168, 212.8.
    #expect(sides(0.5, full: 224, at: [0, 10, 25, 45, 49, 50]) == [128, 128, 160, 224, 224, 224])
    #expect(sides(0.25, full: 96, at: [0, 30, 49, 50]) == [32, 64, 96, 96])
  }

  @Test("A full side that is no multiple is reached all the same, and nothing is smaller than one multiple")
  func ends() {
    #expect(sides(0.5, full: 30, at: [0, 25, 49, 50]) == [16, 24, 28, 30])
    #expect(sides(1e-9, full: 32, at: [0, 50]) == [4, 32])
    #expect(sides(1e-9, full: 224, at: [0, 50]) == [32, 224])
    #expect(sides(0.5, full: 3, at: [0, 50]) == [3, 3])
    #expect(sides(0.5, full: 32, at: [0], of: 1) == [16])
  }

  @Test("Sides never fall, and with a share of 1 they are all the full one")
  func neverFalls() {
    for full in [8, 28, 32, 63, 64, 65, 100, 224, 384] {
      for start in [0.05, 0.3, 0.5, 0.71, 0.999] {
        let all = sides(start, full: full, at: Array(0...777), of: 777)
        #expect(all == all.sorted() && all.allSatisfy { (1...full).contains($0) })
        #expect(all[389...].allSatisfy { $0 == full })
      }
      #expect(sides(1, full: full, at: Array(0...7), of: 7) == Array(repeating: full, count: 8))
    }
  }
}
