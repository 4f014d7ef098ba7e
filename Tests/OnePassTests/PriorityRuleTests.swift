import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass

/// The stored losses and priorities during replay.
@Suite("Priorities that follow the losses of replays") struct PriorityRuleTests {
  /// A memory of items with the losses 0, 1, 2, …
  func memory(_ count: Int, _ rule: PriorityRule, _ progress: RunProgress) throws -> ReplayMemory {
    var memory = ReplayMemory(capacity: .examples(count), seed: 3)
    for id in 0..<count {
      try memory.offer(
        .synthetic(id), loss: Float(id), priority: rule.priority(ofLoss: Float(id), progress))
    }
    return memory
  }

  /// An item can be drawn twice in a mini-batch. The second loss is then averaged with the result of the first.
  @Test("Learnability keeps a running average of the loss")
  func learnabilityKeepsARunningAverage() throws {
    let progress = RunProgress(step: 1, of: 2)
    var rule = PriorityRule(LearnabilityPriority(), timing: .refreshed)
    var memory = try memory(6, rule, progress)
    #expect(memory.items.allSatisfy { $0.priority == 1 })
    var averages = (0..<6).map(Double.init)
    var priorities = Array(repeating: 1.0, count: 6)
    let alpha = 1 - cos(Double.pi / 4)
    var repeated = 0
    for step in 0..<5 {
      try memory.prioritise(by: &rule, progress)
      let drawn = try memory.draw(4, step: step, batch: 0)
      let losses = drawn.indices.map { Float(step) + 0.25 * Float($0) }
      for (item, loss) in zip(drawn, losses) {
        let id = item.example.id
        priorities[id] = 1 - alpha * exp(-abs(Double(loss) - averages[id]))
        averages[id] = 0.5 * averages[id] + 0.5 * Double(loss)
      }
      repeated += 4 - Set(drawn.map(\.example.id)).count
      try memory.update(drawn, losses: losses, by: rule, progress)
      for item in memory.items {
        #expect(abs(Double(item.loss) - averages[item.id]) < 1e-5)
        #expect(abs(Double(item.priority) - priorities[item.id]) < 1e-5)
      }
    }
    #expect(repeated > 0)
  }

  /// Items below the mean of the last losses have half the probability, and twice the weight. At the end, all are alike.
  @Test("Pruning compares with the mean loss of the memory")
  func pruningFollowsTheMeanOfTheMemory() throws {
    let progress = RunProgress(step: 1, of: 8)
    var rule = PriorityRule(PruningPriority(), timing: .refreshed)
    var memory = try memory(6, rule, progress)
    func prioritiesByID() -> [Float] {
      memory.items.sorted { $0.id < $1.id }.map(\.priority)
    }
    try memory.prioritise(by: &rule, progress)
    #expect(prioritiesByID() == [0.5, 0.5, 0.5, 1, 1, 1])
    let drawn = try memory.draw(64, step: 0, batch: 0)
    let weights = importanceWeights(forProbabilities: drawn.map(\.probability))
    for (item, weight) in zip(drawn, weights) {
      #expect(abs(weight / (item.example.id < 3 ? 2 : 1) - (weights.min() ?? 0)) < 1e-5)
    }
    // One item becomes so hard that all others are below the mean, including items that were not drawn.
    let hard = try #require(drawn.first)
    try memory.update([hard], losses: [60], by: rule, progress)
    try memory.prioritise(by: &rule, progress)
    #expect(prioritiesByID() == (0..<6).map { $0 == hard.example.id ? 1 : 0.5 })
    try memory.prioritise(by: &rule, RunProgress(step: 7, of: 8))
    #expect(prioritiesByID() == Array(repeating: 1, count: 6))
  }

  struct AboveMean: PriorityFunction {
    let basis = PriorityBasis.memoryMean
    func priority(loss: Double, progress: RunProgress) -> Double { 9 }
    func priority(of losses: LossContext, progress: RunProgress) -> Double {
      losses.memoryMean.map { losses.loss > $0 ? 3 : 2 } ?? priority(loss: losses.loss, progress: progress)
    }
  }

  /// With two of the timings, only losses of the arrival are available.
  @Test("Every timing passes the documented losses to a custom function", arguments: PriorityTiming.allCases)
  func everyTimingKeepsItsMeaning(timing: PriorityTiming) throws {
    let progress = RunProgress(step: 1, of: 8)
    var rule = PriorityRule(AboveMean(), timing: timing)
    var memory = try memory(2, rule, progress)
    try memory.prioritise(by: &rule, progress)
    #expect((memory.items.map(\.priority)) == (timing == .insertion ? [9, 9] : [2, 3]))
    let drawn = try memory.draw(8, step: 0, batch: 0).filter { $0.example.id == 0 }
    try memory.update([try #require(drawn.first)], losses: [5], by: rule, progress)
    #expect((memory.items.map(\.loss)) == (timing == .refreshed ? [5, 1] : [0, 1]))
    try memory.prioritise(by: &rule, progress)
    #expect(
      (memory.items.map(\.priority))
        == (timing == .insertion ? [9, 9] : timing == .current ? [2, 3] : [3, 2]))
  }
}
