import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@Suite("Priority functions and importance weights") struct PriorityTests {
  @Test("Every priority is finite and at least 0", arguments: PriorityKind.allCases)
  func everyPriorityFunctionIsFiniteAndNotNegative(kind: PriorityKind) throws {
    for smoothing in SmoothingSchedule.allCases {
      let function = kind.makeFunction(smoothing: smoothing)
      for step in [0, 1, 500, 999, 1_000] {
        for loss in [0, 1e-12, 0.1, 2.3, 50, 1e30, .infinity] {
          let progress = RunProgress(step: step, of: 1_000)
          var priorities = [function.priority(loss: loss, progress: progress)]
          for other in [nil, 0, 1e-12, 2.3, .infinity] as [Double?] {
            let losses = LossContext(loss: loss, ownAverage: other, memoryMean: other)
            priorities.append(function.priority(of: losses, progress: progress))
          }
          #expect(
            priorities.allSatisfy { $0.isFinite && $0 >= 0 },
            "\(kind) at loss \(loss), step \(step): \(priorities)")
        }
      }
    }
  }

  @Test("The loss priority is equation 1")
  func lossPriorityIsEquationOne() throws {
    let function = LossPriority(smoothing: .full)
    for step in stride(from: 0, through: 1_000, by: 50) {
      let alpha = 1 - cos(Double.pi / 2 * Double(step) / 1_000)
      for loss in [0.01, 0.5, 2.302585, 7] {
        let priority = function.priority(loss: loss, progress: RunProgress(step: step, of: 1_000))
        #expect(abs(priority - (1 - alpha * exp(-loss))) < 1e-12)
      }
    }
  }

  @Test("Small losses at the end of the run keep their precision")
  func smallLossesAtTheEndKeepTheirPrecision() throws {
    // α = 1: P = 1 − e^−ℓ = ℓ − ℓ²/2 + …, which 1 − exp(−ℓ) would round to 12 digits less.
    let priority = LossPriority().priority(loss: 1e-9, progress: RunProgress(step: 10, of: 10))
    #expect(abs(priority / 1e-9 - 1) < 1e-6)
  }

  /// 1 − α·exp(−|ℓ − ℓ̄|), with either sign of the difference; without history 1.
  @Test("Learnability measures the change of the loss")
  func learnabilityIsTheChangeOfTheLoss() throws {
    let function = PriorityKind.learnability.makeFunction(smoothing: .literal)
    #expect(function.basis == .ownAverage)
    for step in stride(from: 0, through: 1_000, by: 50) {
      let (alpha, progress) = (1 - cos(Double(step) / 1_000), RunProgress(step: step, of: 1_000))
      for (loss, average) in [(0.01, 0.02), (0.5, 3), (3, 0.5), (7, 7)] {
        let priority = function.priority(
          of: LossContext(loss: loss, ownAverage: average), progress: progress)
        #expect(abs(priority - (1 - alpha * exp(-max(loss - average, average - loss)))) < 1e-12)
      }
      #expect(function.priority(of: LossContext(loss: 0.1), progress: progress) == 1)
      #expect(function.priority(loss: 0.1, progress: progress) == 1)
    }
  }

  @Test("The running average halves the weight of earlier losses")
  func anAverageHalvesWhatWasBefore() {
    var average: Double?
    for loss in [4.0, 2, 1, 0] { average = LossContext(loss: loss, ownAverage: average).nextAverage }
    #expect(average == 4.0 / 8 + 2.0 / 8 + 1.0 / 4 + 0.0 / 2)
  }

  @Test("Pruning halves priorities below the mean until the last eighth")
  func pruningHalvesWhatIsBelowTheMeanUntilTheLastEighth() throws {
    let function = PriorityKind.pruning.makeFunction(smoothing: .full)
    #expect(function.basis == .memoryMean)
    for (loss, mean, step, expected) in [
      (1.0, 2.0, 0, 0.5), (2, 2, 0, 1), (3, 2, 0, 1), (1, nil, 0, 1), (1, 2, 874, 0.5), (1, 2, 875, 1),
      (1, 2, 1_000, 1),
    ] as [(Double, Double?, Int, Double)] {
      let priority = function.priority(
        of: LossContext(loss: loss, memoryMean: mean), progress: RunProgress(step: step, of: 1_000))
      #expect(priority == expected, "\(loss), \(mean ?? -1), \(step)")
    }
    let other = PruningPriority(share: 0.9, end: 0.1)
    #expect(
      abs(
        other.priority(of: LossContext(loss: 1, memoryMean: 2), progress: RunProgress(step: 9, of: 100)) - 0.1
      )
        < 1e-15)
  }

  @Test("Alpha increases from 0 to 1, unlike the formula in the paper")
  func alphaRunsFromZeroToOneAndTheLiteralFormulaDoesNot() throws {
    let (start, end) = (RunProgress(step: 0, of: 7), RunProgress(step: 7, of: 7))
    #expect(SmoothingSchedule.full.alpha(at: start) == 0)
    #expect(abs(SmoothingSchedule.full.alpha(at: end) - 1) < 1e-15)
    #expect(SmoothingSchedule.literal.alpha(at: start) == 0)
    #expect(abs(SmoothingSchedule.literal.alpha(at: end) - 0.45969769413186) < 1e-12)
  }

  @Test("Importance weights are inverse to the probability, with mean 1")
  func importanceWeightsAreInverseAndAverageToOne() throws {
    let weights = importanceWeights(forProbabilities: [0.1, 0.2, 0.4])
    #expect(abs(weights.reduce(0, +) / 3 - 1) < 1e-6)
    #expect(abs(weights[0] / weights[1] - 2) < 1e-6 && abs(weights[1] / weights[2] - 2) < 1e-6)
    #expect(importanceWeights(forProbabilities: []).isEmpty)
  }

  /// Section 3.3: E_q[w·ℓ] = E_p[ℓ]. With w = (1/m)/probability the estimate is unbiased without normalisation. Its mean over many
  /// draws is then within its standard error of the memory's mean.
  @Test("Weighted draws estimate the mean of the memory without bias")
  func weightedDrawsEstimateTheMemorysMean() throws {
    let items = 200
    var memory = ReplayMemory(capacity: .examples(items), seed: 4)
    var chance = SeededGenerator(seed: 4, .test)
    var values: [Double] = []
    for id in 0..<items {
      let loss = 3 * chance.nextUnit()
      values.append(loss)
      let priority = LossPriority().priority(loss: loss, progress: RunProgress(step: 8, of: 10))
      try memory.offer(.synthetic(id), loss: Float(loss), priority: Float(priority))
    }
    let truth = values.reduce(0, +) / Double(items)

    var (sum, squares, draws) = (0.0, 0.0, 0)
    for step in 0..<2_000 {
      for drawn in try memory.draw(64, step: step, batch: 0) {
        let estimate = values[drawn.example.id] / (Double(items) * drawn.probability)
        sum += estimate
        squares += estimate * estimate
        draws += 1
      }
    }
    let mean = sum / Double(draws)
    let standardError = ((squares / Double(draws) - mean * mean) / Double(draws)).squareRoot()
    #expect(
      abs(mean - truth) < 4 * standardError, "estimate \(mean) ± \(standardError), memory's mean \(truth)")
    // Without weights, the same draws are clearly biased, so that the test can fail.
    let unweighted =
      try memory.draw(10_000, step: 0, batch: 1).reduce(0) { $0 + values[$1.example.id] } / 10_000
    #expect(abs(unweighted - truth) > 20 * standardError)
  }
}
