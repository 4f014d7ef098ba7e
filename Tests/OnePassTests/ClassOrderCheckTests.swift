import OnePassCore
import Testing

@testable import OnePass

@Suite("Streams sorted by class are detected") struct ClassOrderCheckTests {
  /// The mean and the variance, over every order of a few labels.
  @Test(
    "Mean and variance equal those over all orders",
    arguments: [[2, 2], [3, 1], [3, 2, 2], [1, 1, 1, 1], [4, 2, 1]])
  func momentsAreThoseOfAllOrders(counts: [Int]) {
    var numbers: [Double] = []
    func extend(_ left: [Int], last: Int?, equal: Int) {
      if left.allSatisfy({ $0 == 0 }) { numbers.append(Double(equal)) }
      for label in left.indices where left[label] > 0 {
        var rest = left
        rest[label] -= 1
        extend(rest, last: label, equal: equal + (label == last ? 1 : 0))
      }
    }
    extend(counts, last: nil, equal: 0)
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
    let expected = ClassOrderCheck.equalNeighbours(counts: counts)
    #expect(abs(expected.mean - mean) < 1e-12 && abs(expected.variance - variance) < 1e-12)
  }

  private func facts(_ labels: some Sequence<Int>) -> [String] {
    var check = ClassOrderCheck()
    return labels.compactMap { check.note($0) }
  }

  @Test("A sorted stream is detected", arguments: [2, 10, 1_000])
  func aSortedStreamIsNoticed(classes: Int) {
    let counted = facts((0..<5_000).map { $0 * classes / 5_000 })
    #expect(counted.count == 1 && counted[0].contains("have the class of the previous one"), "\(counted)")
    #expect(facts((0..<900).map { _ in 0 }).isEmpty)
  }

  /// The classes of ImageNet are so large that hardly one has passed; those of CIFAR-10 that none has.
  @Test("A stream that starts with one class is detected")
  func aStreamThatBeginsWithOneClassIsNoticed() {
    #expect(facts((0..<5_000).map { $0 / 1_300 }).count == 1)
    #expect(facts((0..<5_000).map { _ in 7 }) == ["the first 4,096 examples all have class 7"])
  }

  /// Stretches of five are enough, where there are many classes.
  @Test("A stream of short stretches of one class is detected")
  func aStreamOfStretchesIsNoticed() {
    var chance = SeededGenerator(seed: 1, .test)
    #expect(
      facts((0..<1_000).flatMap { _ in [Int](repeating: chance.next(below: 100), count: 5) }).count == 1)
  }

  /// Random orders raise no alarm, 100 of each kind: at most one in 1,000 may, and with these seeds none does.
  @Test(
    "A random order is not called sorted",
    arguments: [[0.5, 1], [0.99, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]])
  func aRandomOrderIsNotCalledSorted(shares: [Double]) {
    var alarms = 0
    for seed in 0..<100 {
      var chance = SeededGenerator(seed: UInt64(seed), .test)
      let labels = (0..<4_096).map { _ in
        let place = chance.nextUnit()
        return shares.firstIndex { place < $0 } ?? 0
      }
      alarms += facts(labels).count
    }
    #expect(alarms == 0)
  }
}
