import Foundation
import Testing

@testable import OnePassExperiments

/// Compared with SciPy: Tools/reference_statistics.py.
@Suite("Statistics") struct StatisticsTests {
  struct Reference: Decodable {
    struct Distribution: Decodable {
      let degreesOfFreedom: Int
      let t: Double
      let central: Double
      let twoSided: Double
      let quantile95: Double
    }

    struct Pair: Decodable {
      let first: [Double]
      let second: [Double]
      let mean: Double
      let standardError: Double
      let low: Double
      let high: Double
      let p: Double
    }

    let distributions: [Distribution]
    let pairs: [Pair]
  }

  let reference: Reference

  init() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/statistics.json", withExtension: nil))
    reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
  }

  @Test("Student's t equals SciPy's")
  func studentsTEqualsSciPys() {
    for expected in reference.distributions {
      let t = StudentT(degreesOfFreedom: expected.degreesOfFreedom)
      #expect(abs(t.central(expected.t) - expected.central) < 1e-12)
      // 1 − A is only as precise as A.
      #expect(abs(t.twoSided(expected.t) - expected.twoSided) < 1e-12)
      #expect(abs(t.quantile(central: 0.95) / expected.quantile95 - 1) < 1e-10)
      #expect(t.central(-expected.t) == t.central(expected.t))
    }
  }

  func bySeed(_ values: [Double]) -> [UInt64: Double] {
    Dictionary(uniqueKeysWithValues: values.enumerated().map { (UInt64($0 + 1), $1) })
  }

  func compare(_ first: [UInt64: Double], _ second: [UInt64: Double]) -> PairedComparison? {
    let difference = Estimate(paper: nil, bySeed: first) - Estimate(paper: nil, bySeed: second)
    return difference.bySeed.flatMap { PairedComparison(differences: $0) }
  }

  @Test("The paired comparison equals SciPy's")
  func pairedComparisonEqualsSciPys() throws {
    for pair in reference.pairs {
      let comparison = try #require(compare(bySeed(pair.first), bySeed(pair.second)))
      #expect(comparison.n == pair.first.count)
      #expect(abs(comparison.mean - pair.mean) < 1e-9)
      #expect(abs((comparison.differences.standardError ?? .nan) - pair.standardError) < 1e-9)
      let interval = try #require(comparison.interval)
      #expect(abs(interval.lowerBound - pair.low) < 1e-8 && abs(interval.upperBound - pair.high) < 1e-8)
      #expect(abs((comparison.pValue ?? .nan) - pair.p) < 1e-9)
      let isSignificant = pair.low > 0 || pair.high < 0
      #expect((comparison.verdict == .notShown) != isSignificant)
    }
  }

  @Test("Only common seeds are paired")
  func onlyCommonSeedsArePaired() throws {
    let comparison = try #require(compare([1: 5, 2: 7, 9: 100], [2: 6, 1: 3, 4: 0]))
    #expect(comparison.seeds == [1, 2] && comparison.differences.values == [2, 1])
    #expect(compare([1: 5], [2: 5]) == nil)
  }

  @Test("A single seed has no interval")
  func aSingleSeedHasNoInterval() throws {
    let single = try #require(compare([1: 5], [1: 3]))
    #expect(single.interval == nil && single.pValue == nil && single.verdict == .singleSeed)
    #expect(Sample([3]).standardError == nil && Sample([3]).confidence == nil)
    #expect(ResultFigures.accuracy(Sample([50])).contains("one seed"))
    #expect(ResultFigures.difference(single).contains("one seed"))
  }

  @Test("Equal pairs show no difference")
  func equalPairsAreNoDifference() throws {
    let equal = try #require(compare([1: 5, 2: 6], [1: 5, 2: 6]))
    #expect(equal.pValue == 1 && equal.verdict == .notShown)
  }
}
