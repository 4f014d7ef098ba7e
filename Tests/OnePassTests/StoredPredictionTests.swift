import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePass

@Suite("Stored predictions") struct StoredPredictionTests {
  /// A distribution over so many classes, and what is kept of it.
  func random(_ classes: Int, _ chance: inout SeededGenerator) -> (exact: [Double], kept: StoredPrediction) {
    // Powers, so that some are certain and some are not.
    let power = 8 * chance.nextUnit()
    let weights = (0..<classes).map { _ in pow(chance.nextUnit(), power) + 1e-12 }
    let sum = weights.reduce(0, +)
    let exact = weights.map { $0 / sum }
    let mostLikely = exact.indices.sorted { (exact[$1], $0) < (exact[$0], $1) }.prefix(4)
    return (
      exact,
      StoredPrediction(classes: Array(mostLikely), probabilities: mostLikely.map { Float(exact[$0]) })
    )
  }

  /// The bounds that the documentation states, for each class and for what the named ones have together.
  @Test(
    "The rounding error is within the documented bounds",
    arguments: [1, 2, 3, 4, 5, 10, 1_000, StoredPrediction.classLimit])
  func whatIsLostIsBounded(classes: Int) {
    let rounding = 1e-5
    for seed in 0..<(classes > 100 ? 3 : 200) {
      var chance = SeededGenerator(seed: UInt64(seed), .test)
      let (exact, kept) = random(classes, &chance)
      let back = kept.distribution(over: classes).map(Double.init)
      #expect(abs(back.reduce(0, +) - 1) < rounding && back.allSatisfy { $0 >= 0 }, "seed \(seed)")
      let order = exact.indices.sorted { (exact[$1], $0) < (exact[$0], $1) }
      let (named, others) = (order.prefix(4), order.dropFirst(4))
      var (sum, exactSum) = (0.0, 0.0)
      for id in named {
        #expect(abs(back[id] - exact[id]) <= 1.0 / 255 + rounding, "seed \(seed)")
        (sum, exactSum) = (sum + back[id], exactSum + exact[id])
        #expect(abs(sum - exactSum) <= 1.0 / 510 + rounding, "seed \(seed)")
      }
      let last = exact[order[named.count - 1]]
      #expect(others.isEmpty || last <= 0.25)
      let worst = others.map { abs(back[$0] - exact[$0]) }.max() ?? 0
      #expect(worst <= last + 1.0 / 510 + rounding, "seed \(seed)")
      #expect(Set(others.map { back[$0] }).count <= 1)
    }
  }

  @Test("Probabilities of 0 and 1 are stored exactly")
  func theEndsOfTheRange() {
    let last = StoredPrediction.classLimit - 1
    let certain = StoredPrediction(classes: [last, 0, 1, 2], probabilities: [1, 0, 0, 0])
    #expect(certain.distribution(over: last + 1)[last] == 1)
    #expect(certain.distribution(over: last + 1).reduce(0, +) == 1)
    // Together no more than 1, also where the sum of the floats is.
    let even = StoredPrediction(classes: [3, 1, 2, 0], probabilities: [0.2500001, 0.25, 0.25, 0.25])
    #expect(even.distribution(over: 4).map { ($0 * 255).rounded() } == [64, 64, 63, 64])
    // Where fewer are named, all others share what is left, the first class too.
    let one = StoredPrediction(classes: [2], probabilities: [0.4])
    #expect(one.distribution(over: 5) == [153, 153, 408, 153, 153].map { $0 / (4 * 255) })
    #expect(StoredPrediction(classes: [0], probabilities: [1]).distribution(over: 1) == [1])
  }

  @Test("A prediction names the classes that it was given")
  func itNamesWhatItWasGiven() {
    let prediction = StoredPrediction(classes: [7, 2, 65_535], probabilities: [0.6, 0.2, 0.1])
    #expect(prediction.classes == [7, 2, 65_535])
    #expect(zip(prediction.probabilities, [0.6, 0.2, 0.1]).allSatisfy { abs($0 - $1) <= 1 / 255 })
  }

  /// The layout of memory.index: two classes in 16 bits each, twice, and four probabilities in 255ths, little-endian.
  @Test("The note of a prediction has its layout, and is read as it was written")
  func notesHaveTheirLayout() throws {
    let prediction = StoredPrediction(classes: [7, 258, 65_535], probabilities: [0.6, 0.2, 0.2])
    #expect(prediction.note.bytes == [7, 0, 2, 1, 255, 255, 255, 255, 153, 51, 51, 0])
    for classes in [1, 2, 3, 4, 10, 1_000] {
      var chance = SeededGenerator(seed: 6, .test, classes)
      let kept = random(classes, &chance).kept
      #expect(StoredPrediction(kept.note) == kept && kept.note.bytes.count == StoredPredictions.bytesPerItem)
    }
    #expect(StoredPrediction(ItemNote([1, 2, 3])) == nil)
  }
}
