import Foundation
import OnePass
import Testing

@testable import OnePassExperiments

/// Compared with SciPy and statsmodels: Tools/reference_statistics.py.
@Suite("Statistics") struct StatisticsTests {
  struct Reference: Decodable {
    struct Distribution: Decodable {
      let degreesOfFreedom: Double
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

    struct Welch: Decodable {
      let mean: Double
      let degreesOfFreedom: Double
      let low: Double
      let high: Double
      let p: Double
    }

    struct Independent: Decodable {
      let first: [Double]
      let second: [Double]
      let expected: Welch

      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        first = try container.decode([Double].self, forKey: .first)
        second = try container.decode([Double].self, forKey: .second)
        expected = try Welch(from: decoder)
      }

      private enum CodingKeys: CodingKey { case first, second }
    }

    struct Combination: Decodable {
      let groups: [[Double]]
      let paired: Welch
      let independent: Welch
    }

    struct HolmCase: Decodable {
      let p: [Double]
      let adjusted: [Double]
    }

    let distributions: [Distribution]
    let pairs: [Pair]
    let independent: [Independent]
    let combinations: [Combination]
    let holm: [HolmCase]
  }

  let reference: Reference

  init() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/statistics.json", withExtension: nil))
    reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
  }

  @Test("Student's t equals SciPy's, with whole and fractional degrees of freedom")
  func studentsTEqualsSciPys() {
    for expected in reference.distributions {
      let t = StudentT(degreesOfFreedom: expected.degreesOfFreedom)
      #expect(abs(t.central(expected.t) - expected.central) < 1e-12)
      // Tails are precise relative to their size.
      #expect(abs(t.twoSided(expected.t) / expected.twoSided - 1) < 1e-11)
      #expect(abs(t.quantile(central: 0.95) / expected.quantile95 - 1) < 1e-10)
      #expect(t.central(-expected.t) == t.central(expected.t))
    }
  }

  func bySeed(_ values: [Double]) -> [UInt64: Double] {
    Dictionary(uniqueKeysWithValues: values.enumerated().map { (UInt64($0 + 1), $1) })
  }

  /// An accuracy whose runs are paired with those of the same number of replay steps and the same recipe.
  func estimate(_ values: [UInt64: Double], learningRate: Double = 0.1) -> Estimate {
    var configuration = RunConfiguration(data: "wds:data.tar")
    configuration.recipe.learningRate = learningRate
    return Estimate(
      paper: nil,
      terms: [
        (
          1,
          .init(
            pairing: Pairing(configuration),
            values: Dictionary(uniqueKeysWithValues: values.map { (Replicate(seed: $0), $1) }))
        )
      ])
  }

  func compare(_ first: [UInt64: Double], _ second: [UInt64: Double]) -> Comparison? {
    (estimate(first) - estimate(second)).comparison
  }

  func expect(
    _ comparison: Comparison?, _ expected: Reference.Welch, _ test: Comparison.Test = .welch, sizes: [Int],
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let comparison = try #require(comparison, sourceLocation: location)
    #expect(comparison.test == test && comparison.sizes == sizes, sourceLocation: location)
    #expect(abs(comparison.mean - expected.mean) < 1e-9, sourceLocation: location)
    #expect(
      abs((comparison.degreesOfFreedom ?? .nan) / expected.degreesOfFreedom - 1) < 1e-9,
      sourceLocation: location)
    let interval = try #require(comparison.interval, sourceLocation: location)
    #expect(abs(interval.lowerBound - expected.low) < 1e-8, sourceLocation: location)
    #expect(abs(interval.upperBound - expected.high) < 1e-8, sourceLocation: location)
    #expect(abs((comparison.pValue ?? .nan) / expected.p - 1) < 1e-8, sourceLocation: location)
  }

  @Test("The paired comparison equals SciPy's")
  func pairedComparisonEqualsSciPys() throws {
    for pair in reference.pairs {
      let comparison = try #require(compare(bySeed(pair.first), bySeed(pair.second)))
      #expect(comparison.test == .paired && comparison.sizes == [pair.first.count])
      #expect(comparison.degreesOfFreedom == Double(pair.first.count - 1))
      #expect(abs(comparison.mean - pair.mean) < 1e-9)
      #expect(abs((comparison.standardError ?? .nan) - pair.standardError) < 1e-9)
      let interval = try #require(comparison.interval)
      #expect(abs(interval.lowerBound - pair.low) < 1e-8 && abs(interval.upperBound - pair.high) < 1e-8)
      #expect(abs((comparison.pValue ?? .nan) - pair.p) < 1e-9)
      let isSignificant = pair.low > 0 || pair.high < 0
      #expect((comparison.verdict(corrected: comparison.pValue) == .notShown) != isSignificant)
    }
  }

  @Test("Welch's comparison equals SciPy's")
  func welchsComparisonEqualsSciPys() throws {
    for pair in reference.independent {
      let difference =
        estimate(bySeed(pair.first)) - estimate(bySeed(pair.second), learningRate: 0.2)
      try expect(difference.comparison, pair.expected, sizes: [pair.first.count, pair.second.count])
    }
  }

  /// By seed if all groups are paired; otherwise the sum of the variances of all groups.
  @Test("Combinations of paired and of independent groups equal SciPy's")
  func combinationsEqualSciPys() throws {
    for combination in reference.combinations {
      let n = combination.groups[0].count
      func combine(_ rates: [Double]) -> Comparison? {
        let groups = zip(combination.groups, rates).map { estimate(bySeed($0), learningRate: $1) }
        return ((groups[0] - groups[1]) - (groups[2] - groups[3])).comparison
      }
      try expect(combine([0.1, 0.2, 0.3, 0.4]), combination.independent, sizes: [n, n, n, n])
      try expect(combine([0.1, 0.1, 0.2, 0.2]), combination.independent, sizes: [n, n, n, n])
      try expect(combine([0.1, 0.1, 0.1, 0.2]), combination.independent, sizes: [n, n, n, n])
      try expect(combine([0.1, 0.1, 0.1, 0.1]), combination.paired, .paired, sizes: [n])
    }
  }

  @Test("Holm's correction equals statsmodels'")
  func holmsCorrectionEqualsStatsmodels() {
    for family in reference.holm {
      for (value, expected) in zip(Holm.adjusted(family.p), family.adjusted) {
        #expect(abs((value ?? .nan) - expected) < 1e-12)
      }
    }
    // A missing value does not count.
    #expect(Holm.adjusted([nil, 0.03, nil, 0.02]) == [nil, 0.04, nil, 0.04])
    #expect(Holm.adjusted([]).isEmpty && Holm.adjusted([nil]) == [nil])
  }

  @Test("Only common seeds are paired")
  func onlyCommonSeedsArePaired() throws {
    let comparison = try #require(compare([1: 5, 2: 7, 9: 100], [2: 6, 1: 3, 4: 0]))
    #expect(comparison.test == .paired && comparison.parts.map(\.values) == [[2, 1]])
  }

  @Test("Groups without a common seed are independent")
  func groupsWithoutACommonSeedAreIndependent() throws {
    let comparison = try #require(compare([1: 5, 2: 7], [3: 5, 4: 6, 5: 7]))
    #expect(comparison.test == .welch && comparison.sizes == [2, 3] && comparison.mean == 0)
    #expect(Estimate(paper: nil, nil).comparison == nil)
  }

  @Test("A single seed has no interval")
  func aSingleSeedHasNoInterval() throws {
    let single = try #require(compare([1: 5], [1: 3]))
    #expect(single.interval == nil && single.pValue == nil && single.degreesOfFreedom == nil)
    #expect(single.verdict(corrected: nil) == .singleSeed)
    #expect(Sample([3]).standardError == nil && Sample([3]).confidence == nil)
    #expect(ResultFigures.accuracy(Sample([50])).contains("one seed"))
    #expect(ResultFigures.difference(single).contains("one seed"))
    #expect(ResultFigures.test(single) == "paired")
    let unpaired = try #require((estimate([1: 5, 2: 6]) - estimate([1: 3], learningRate: 1)).comparison)
    #expect(unpaired.test == .welch && unpaired.interval == nil && unpaired.sizes == [2, 1])
  }

  @Test("Equal pairs show no difference")
  func equalPairsAreNoDifference() throws {
    let equal = try #require(compare([1: 5, 2: 6], [1: 5, 2: 6]))
    #expect(equal.pValue == 1 && equal.verdict(corrected: 1) == .notShown)
    let constant = (estimate([1: 5, 2: 5]) - estimate([1: 4, 2: 4, 3: 4], learningRate: 1)).comparison
    #expect(constant?.pValue == 0 && constant?.interval == 1...1 && constant?.degreesOfFreedom == 3)
  }

  @Test("A difference that is significant alone is not after the correction")
  func significanceIsThatOfTheFamily() throws {
    let pair = try #require(reference.pairs.first { $0.p < 0.05 && $0.p > 1e-4 })
    let comparison = try #require(compare(bySeed(pair.first), bySeed(pair.second)))
    #expect(comparison.verdict(corrected: comparison.pValue) == (pair.mean > 0 ? .higher : .lower))
    #expect(comparison.verdict(corrected: 0.06) == .notShownInFamily)
  }
}
