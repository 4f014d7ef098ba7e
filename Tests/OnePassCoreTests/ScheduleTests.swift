import Foundation
import OnePassCore
import Testing

/// Compares the schedules with their formulas and with literal values.
@Suite("Learning rate schedules") struct ScheduleTests {
  func factors(_ schedule: LearningRateSchedule, _ total: Int) -> [Double] {
    (0..<total).map { schedule.factor(ofUpdate: $0, of: total) }
  }

  func expect(_ schedule: LearningRateSchedule, _ expected: [Double]) {
    for (factor, reference) in zip(factors(schedule, expected.count), expected) {
      #expect(abs(factor - reference) < 1e-12, "\(schedule)")
    }
  }

  @Test("Every shape matches its formula")
  func shapesFollowTheirFormulas() {
    let steps = (0..<10).map { Double($0) / 10 }
    expect(LearningRateSchedule(.cosine), steps.map { (1 + cos(.pi * $0)) / 2 })
    expect(LearningRateSchedule(.linear), steps.map { 1 - $0 })
    expect(LearningRateSchedule(.constant), steps.map { _ in 1 })
    expect(LearningRateSchedule(.trapezoid, coolDown: 0.4), [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25])
    expect(LearningRateSchedule(.trapezoid, coolDown: 0), Array(repeating: 1, count: 10))
  }

  @Test("After a linear warm-up the shape spans the remaining updates")
  func theShapeSpansTheUpdatesAfterTheWarmUp() {
    let rise = [0.2, 0.4, 0.6, 0.8]
    expect(
      LearningRateSchedule(.cosine, warmUp: 0.4),
      rise + (0..<6).map { (1 + cos(.pi * Double($0) / 6)) / 2 })
    expect(LearningRateSchedule(.linear, warmUp: 0.4), rise + (0..<6).map { 1 - Double($0) / 6 })
    expect(LearningRateSchedule(.constant, warmUp: 0.4), rise + Array(repeating: 1, count: 6))
    expect(
      LearningRateSchedule(.trapezoid, warmUp: 0.4, coolDown: 0.2), rise + [1, 1, 1, 1, 1, 0.5])
    expect(LearningRateSchedule(.cosine, warmUp: 1), (1...10).map { Double($0) / 11 })
  }

  /// A trapezoid until the request; then the rate decays over the last c · T of the T updates made in total.
  @Test("A requested cool-down spans its share of the run")
  func aRequestedCoolDownSpansItsShareOfTheRun() {
    let schedule = LearningRateSchedule(.onDemand, warmUp: 0.04, coolDown: 0.2)
    let trapezoid = LearningRateSchedule(.trapezoid, warmUp: 0.04, coolDown: 0.2)
    #expect(factors(schedule, 100) == factors(trapezoid, 100))
    for made in 0..<100 {
      guard let updates = schedule.coolDown(after: made, of: 100) else {
        #expect(made > 80)
        continue
      }
      #expect(made <= 80 && abs(Double(updates) - max(1, Double(made) / 4)) <= 0.5)
      let coolDown = CoolDown(stepsBefore: 0, steps: 1, updatesBefore: made, updates: updates)
      let rates = (0..<made + updates).map { schedule.factor(ofUpdate: $0, of: 100, coolingDown: coolDown) }
      #expect(Array(rates.prefix(made)) == Array(factors(schedule, 100).prefix(made)))
      // A request during the warm-up decays from the rate reached so far.
      let top = min(1, Double(made + 1) / 5)
      for (place, rate) in rates.dropFirst(made).enumerated() {
        #expect(abs(rate - top * (1 - Double(place) / Double(updates))) < 1e-12)
      }
    }
    #expect(LearningRateSchedule(.onDemand, coolDown: 0).coolDown(after: 50, of: 100) == 1)
    #expect(LearningRateSchedule(.onDemand, coolDown: 1).coolDown(after: 0, of: 100) == 100)
    #expect(LearningRateSchedule(.onDemand, coolDown: 1).coolDown(after: 1, of: 100) == nil)
  }

  /// Bit-identical, so that runs started by older versions resume unchanged.
  @Test("The default schedule equals the paper's cosine")
  func theDefaultIsThePapersCosine() {
    for total in [1, 7, 1_000, 46_875] {
      for update in stride(from: 0, to: total, by: max(1, total / 97)) {
        let before = 0.1 * 0.5 * (1 + cos(.pi * (Double(update) / Double(total))))
        #expect(0.1 * LearningRateSchedule().factor(ofUpdate: update, of: total) == before)
      }
    }
  }

  @Test(
    "Every update has a learning rate above 0", arguments: LearningRateSchedule.Shape.allCases,
    [1, 2, 3, 10, 4_999])
  func everyUpdateHasARate(shape: LearningRateSchedule.Shape, total: Int) {
    for (warmUp, coolDown) in [(0, 0.2), (0.05, 0.95), (0.5, 0.5), (1, 0), (0, 1)] {
      let all = factors(LearningRateSchedule(shape, warmUp: warmUp, coolDown: coolDown), total)
      #expect(all.allSatisfy { $0 > 0 && $0 <= 1 }, "\(warmUp), \(coolDown)")
    }
  }
}
