import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch
import Testing

@testable import OnePass

@Suite("Results") struct ResultTests {
  func report(step: Int, of steps: Int, examples: Int, loss: Double, accuracy: Double) -> StepReport {
    StepReport(
      step: step, steps: steps, examplesSeen: 0, examplesTrained: 0, updates: 0, examples: examples,
      loss: loss,
      accuracy: accuracy, learningRate: 0, alpha: 0, memoryItems: 0, memoryBytes: 0, memoryFill: 0, seconds: 0
    )
  }

  @Test("A point of the curve is a mean over examples")
  func aPointOfTheCurveIsAMeanOverExamples() throws {
    var curve = TrainingCurve()
    // 1,000 steps share a point in pairs.
    curve.record(report(step: 1, of: 1_000, examples: 30, loss: 1, accuracy: 1))
    curve.record(report(step: 2, of: 1_000, examples: 10, loss: 3, accuracy: 0))
    curve.record(report(step: 3, of: 1_000, examples: 5, loss: 2, accuracy: 0.2))
    curve.finish()
    #expect(curve.points.map(\.loss) == [1.5, 2])
    #expect(curve.points.map(\.accuracy) == [0.75, 0.2])
    #expect(curve.points.map(\.examples) == [40, 5])
  }

  @Test("An evaluation adds a point and columns to the curve, and both survive a checkpoint")
  func evaluationsAreInTheCurve() throws {
    var curve = TrainingCurve()
    curve.record(report(step: 1, of: 1_000, examples: 30, loss: 1, accuracy: 1))
    let plain = curve
    let accuracy = RunResult.AccuracyPoint(
      step: 1, examplesSeen: 30, updates: 1, top1: 0.5, top5: nil, loss: 1.25, examples: 8)
    curve.record(accuracy, seconds: 2)
    curve.record(report(step: 2, of: 1_000, examples: 10, loss: 3, accuracy: 0))
    // A step without images to train on has no point of its own.
    var late = accuracy
    (late.step, late.top1) = (3, 0.75)
    curve.record(late, seconds: 0.5)
    #expect(curve.points.map(\.step) == [1, 2] && curve.points.map(\.loss) == [1, 3])
    let rows = curve.csv.split(separator: "\n")
    #expect(rows[0].hasSuffix(",seconds,evaluation_top1,evaluation_top5,evaluation_loss"))
    #expect(rows[1].hasSuffix(",0.5,,1.25") && rows[2].hasSuffix(",0.75,,1.25") && rows.count == 3)
    #expect(!plain.csv.contains("evaluation"))
    let read = try JSONDecoder().decode(TrainingCurve.self, from: JSONEncoder().encode(curve))
    #expect(read.csv == curve.csv && read.evaluationSeconds == 2.5)
    let record = String(decoding: try JSONEncoder().encode(plain), as: UTF8.self)
    #expect(!record.contains("evaluation"))
    #expect(try JSONDecoder().decode(TrainingCurve.self, from: Data(record.utf8)).evaluations.isEmpty)
  }

  @Test("The contents of the memory are counted by part of the stream and by replays")
  func contentsAreCountedByPartOfTheStreamAndByReplays() {
    let draws = [0, 0, 1, 2, 3, 4, 7, 8]
    let items = draws.enumerated().map { index, draws in
      MemoryItem(id: index * 10, label: index % 3, loss: 1, priority: 1, draws: draws, bytes: 5)
    }
    let summary = MemorySummary(items, examplesSeen: 100)
    #expect(summary.arrivals == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0])
    // None; 1; 2 and 3; 4 to 7; 8 to 15.
    #expect(summary.replays.counts == [2, 1, 2, 2, 1])
    #expect(summary.itemsPerClass == [0: 3, 1: 3, 2: 2] && summary.imageBytes == 40)
  }
}
