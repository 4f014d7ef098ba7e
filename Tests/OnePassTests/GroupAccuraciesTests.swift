import Foundation
import Testing

@testable import OnePass

@Suite("Accuracy by groups of classes") struct GroupAccuraciesTests {
  /// Matrices with their measures by Avalanche and CapyMOA (Tools/reference_groups.py).
  private struct Reference: Decodable {
    let matrix: [[Double]]
    let backwardTransfer, averageAnytimeAccuracy, capymoa: Double

    static func all() throws -> [Reference] {
      let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
      return try JSONDecoder().decode(
        [Reference].self, from: Data(contentsOf: folder.appendingPathComponent("groups.json")))
    }
  }

  private func measures(_ matrix: [[Double]], initial: [Double]? = nil) -> GroupAccuracies {
    GroupAccuracies(
      classes: matrix[0].indices.map { [$0] }, accuracy: matrix,
      initial: initial ?? matrix[0].map { _ in 0 })
  }

  @Test("Backward transfer is that of Avalanche, and not that of CapyMOA")
  func references() throws {
    let all = try Reference.all()
    for reference in all {
      let made = measures(reference.matrix)
      #expect(abs((made.backwardTransfer ?? 9) - reference.backwardTransfer) < 1e-12)
      #expect(abs(made.averageAnytimeAccuracy - reference.averageAnytimeAccuracy) < 1e-12)
    }
    #expect(all.contains { abs($0.backwardTransfer - $0.capymoa) > 0.05 } && all.count == 12)
  }

  /// Group 0 improves after its end, and is then partly forgotten: more than after its end, less than at its best.
  @Test(
    "Forgetting is measured from the best earlier accuracy, and can have the sign of the backward transfer")
  func definitions() throws {
    let made = measures(
      [[0.5, 0.2, 0.1], [0.9, 0.4, 0.3], [0.6, 0.5, 0.8]], initial: [0.1, 0.05, 0.2])
    func expectNear(_ a: Double?, _ b: Double) { #expect(abs((a ?? 9) - b) < 1e-12) }
    expectNear(made.averageAccuracy, (0.6 + 0.5 + 0.8) / 3)
    expectNear(made.backwardTransfer, ((0.6 - 0.5) + (0.5 - 0.4)) / 2)
    expectNear(made.forgetting, ((0.9 - 0.6) + (0.4 - 0.5)) / 2)
    expectNear(made.forwardTransfer, ((0.2 - 0.05) + (0.3 - 0.2)) / 2)
    expectNear(made.averageAnytimeAccuracy, (0.5 + (0.9 + 0.4) / 2 + (0.6 + 0.5 + 0.8) / 3) / 3)
    expectNear(made.worstCaseAccuracy, 0.8 / 3 + 2.0 / 3 * (0.6 + 0.5) / 2)
    #expect((made.backwardTransfer ?? 0) > 0 && (made.forgetting ?? 0) > 0)
  }

  @Test("One group has no transfer")
  func oneGroup() {
    let made = measures([[0.5, 0.1]])
    #expect(made.forgetting == nil && made.backwardTransfer == nil && made.forwardTransfer == nil)
    #expect(made.averageAccuracy == 0.5 && made.worstCaseAccuracy == 0.5)
  }

  @Test("Rows are the evaluations after the mini-batches in which groups end")
  func rows() throws {
    let groups = StreamGroups(classes: [[0, 2], [1]], ends: [20, 33])
    #expect(groups.lastStep(of: 0, batchSize: 10) == 2 && groups.lastStep(of: 1, batchSize: 10) == 4)
    #expect((0...5).filter { groups.isEnd($0, batchSize: 10) } == [2, 4])
    func point(_ step: Int, _ values: [Double?]) -> RunResult.AccuracyPoint {
      .init(step: step, examplesSeen: 0, updates: 0, top1: 0, loss: 0, examples: 0, groups: values)
    }
    let points = [point(0, [0.1, 0.2]), point(1, [0, 0]), point(2, [0.7, 0]), point(4, [0.5, 0.6])]
    let whole = try #require(GroupAccuracies(groups, batchSize: 10, points: points, lastStep: 4))
    #expect(whole.accuracy == [[0.7, 0], [0.5, 0.6]] && whole.initial == [0.1, 0.2])
    // A run that ends within the second group.
    #expect(GroupAccuracies(groups, batchSize: 10, points: points, lastStep: 3)?.accuracy == [[0.7, 0]])
    #expect(GroupAccuracies(groups, batchSize: 10, points: points, lastStep: 1) == nil)
    // An evaluation that failed, and one without an example of a group.
    #expect(GroupAccuracies(groups, batchSize: 10, points: points.dropLast(), lastStep: 4) == nil)
    let lacking = points.dropLast() + [point(4, [0.5, nil])]
    #expect(GroupAccuracies(groups, batchSize: 10, points: Array(lacking), lastStep: 4) == nil)
  }
}
