import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass

/// The figures of a memory against closed formulas.
@Suite("Figures of a memory equal closed formulas") struct InsightTests {
  static func item(_ id: Int, label: Int = 0, loss: Float = 1, priority: Float = 1) -> MemoryItem {
    MemoryItem(id: id, label: label, loss: loss, priority: priority, draws: 0, bytes: 10)
  }

  /// Shares of 1/2, 1/4, 1/8, 1/8 have an entropy of 1.75 bits; equal shares of k classes have log2 k.
  @Test("The class balance is the entropy of the shares")
  func balanceIsTheEntropyOfTheShares() throws {
    let uneven = ClassBalance([0: 4, 2: 2, 3: 1, 5: 1], classes: 6)
    #expect(abs(uneven.entropyBits - 1.75) < 1e-12 && abs(uneven.effectiveClasses - exp2(1.75)) < 1e-12)
    #expect(uneven.held == 4 && uneven.classes == 6)
    #expect(uneven.itemsPerClass?.minimum == 0 && uneven.itemsPerClass?.maximum == 4)
    let even = ClassBalance(Dictionary(uniqueKeysWithValues: (0..<1_000).map { ($0, 3) }), classes: 1_000)
    #expect(abs(even.effectiveClasses - 1_000) < 1e-9 && even.itemsPerClass?.minimum == 3)
    let none = ClassBalance([:], classes: 3)
    #expect(none.held == 0 && none.effectiveClasses == 0 && none.entropyBits == 0)
  }

  @Test("A histogram counts each value once")
  func aHistogramCountsEachValueOnce() {
    let histogram = Histogram([0, 0.049, 0.05, 0.5, 1], from: 0, to: 1)
    var expected = Array(repeating: 0, count: 20)
    (expected[0], expected[1], expected[10], expected[19]) = (2, 1, 1, 1)
    #expect(histogram.counts == expected && histogram.range(of: 10).lowerBound == 0.5)
    // What lies beyond widens it; what is no number of its own counts at its end.
    let wide = Histogram([0, 4, .infinity], from: 0, to: 1)
    #expect(wide.upper == 4 && wide.counts[0] == 1 && wide.counts[19] == 2)
    #expect(Histogram([], from: 0).counts.reduce(0, +) == 0)
    #expect(Histogram([2, 2], from: 2).counts.reduce(0, +) == 2)
  }

  @Test("The highest and lowest priorities have a fixed order")
  func endsOfThePrioritiesAreInAnOrderOfTheirOwn() {
    // By priority, then by loss, then by position; whatever the order in which they come.
    let items = [
      Self.item(5, loss: 1, priority: 1), Self.item(3, loss: 1, priority: 1),
      Self.item(9, loss: 2, priority: 1),
      Self.item(1, loss: 3, priority: 0.5), Self.item(8, loss: 0.1, priority: 0.2),
      Self.item(7, loss: 0.05, priority: 0.2), Self.item(2, loss: 0.1, priority: 0.2),
    ]
    for seed in 0..<50 {
      var chance = SeededGenerator(seed: UInt64(seed), .test, 0)
      var shuffled = items
      for index in shuffled.indices.reversed() { shuffled.swapAt(index, chance.next(below: index + 1)) }
      let ends = PriorityExtremes(of: shuffled, count: 3)
      #expect(ends.highest.map(\.id) == [9, 3, 5] && ends.lowest.map(\.id) == [7, 2, 8])
      // Where there are too few, none is among both.
      let all = PriorityExtremes(of: shuffled, count: 100)
      #expect(all.highest.map(\.id) == [9, 3, 5, 1] && all.lowest.map(\.id) == [7, 2, 8])
    }
    #expect(
      PriorityExtremes(of: items, count: 0).ids.isEmpty && PriorityExtremes(of: [], count: 5).ids.isEmpty)
  }

  /// β = 1 keeps all equally likely (Vitter 1985); with β the density grows as (i/n)^(β−1) once the memory is full.
  @Test("The expected arrivals follow the inclusion probability", arguments: [1.0, 1.5, 2.0])
  func arrivalsAreExpectedAsTheReservoirPromises(beta: Double) {
    let (n, m) = (20_000, 200)
    let expected = InclusionProbability(recencyBias: beta).expectedItems(
      examplesSeen: n, capacity: m, parts: 20)
    #expect(abs(expected.reduce(0, +) - Double(m)) < 1e-6)
    for part in 5..<20 {
      // ∫ β·m/i · (i/n)^β di over the part.
      let (a, b) = (Double(part) / 20, Double(part + 1) / 20)
      let density = Double(m) * (pow(b, beta) - pow(a, beta))
      #expect(abs(expected[part] - density) < 0.005 * density, "part \(part)")
    }
  }

  @Test("How many pictures a run keeps depends on its memory")
  func whatARunKeepsDependsOnWhereItsMemoryIs() {
    var run = RunConfiguration(data: "a")
    #expect(run.picturesKept == 0)
    run.memory.keepPictures = 24
    #expect(run.picturesKept == 24)
    run.memory.timeToLive = .examples(5)
    #expect(run.picturesKept == 0)
    (run.memory.timeToLive, run.memory.directory) = (nil, "d")
    #expect(run.picturesKept == 0)
    (run.memory.directory, run.method) = (nil, .naive)
    #expect(run.picturesKept == 0)
  }

  @Test("A memory table with impossible values is refused")
  func aTableThatCannotBeIsRefused() throws {
    let whole = MemoryTable(items: [Self.item(3)]).csv
    for (field, value) in [(0, "-1"), (0, "99999999999999999"), (2, "nan"), (3, "inf"), (3, "-1"), (5, "-7")]
    {
      var lines = whole.split(separator: "\n").map(String.init)
      var fields = lines[1].split(separator: ",").map(String.init)
      fields[field] = value
      lines[1] = fields.joined(separator: ",")
      #expect(throws: OnePassError.self, "\(lines[1])") {
        try MemoryTable(csv: lines.joined(separator: "\n"), path: "memory.csv")
      }
    }
  }
}
