import OnePassCore
import TestSupport
import Testing

@Suite("The seeded random number generator") struct SeededGeneratorTests {
  /// The published sequence of Vigna's reference implementation for the seed 1234567. The generator has the same output
  /// function; only its initial state is hashed.
  @Test("The output function is that of SplitMix64")
  func outputFunctionIsSplitMix64s() {
    var state: UInt64 = 1_234_567
    func reference() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    #expect(
      (0..<5).map { _ in reference() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test("Neighbouring seeds, positions and visits give different sequences")
  func neighbouringKeysGiveUnrelatedSequences() {
    var seen: Set<UInt64> = []
    for seed in 0..<10 as Range<UInt64> {
      for position in 0..<10 {
        for visit in 0..<10 {
          var a = SeededGenerator(seed: seed, .draw, position, visit)
          var b = SeededGenerator(seed: seed, .reservoir, position, visit)
          seen.insert(a.next())
          seen.insert(b.next())
        }
      }
    }
    #expect(seen.count == 2_000)
  }

  /// OnePass creates a generator per position, so the first numbers matter.
  @Test("The first numbers of consecutive positions are uniformly distributed")
  func firstNumbersAreUniformOverPositions() {
    let (cells, trials) = (50, 100_000)
    var counts = [Int](repeating: 0, count: cells)
    for position in 0..<trials {
      var generator = SeededGenerator(seed: 3, .reservoir, position)
      counts[generator.next(below: cells)] += 1
    }
    let statistic = Statistics.chiSquared(
      observed: counts, probabilities: Array(repeating: 1 / Double(cells), count: cells))
    #expect(statistic < Statistics.chiSquaredBound(degreesOfFreedom: cells - 1, sigmas: 4))
  }

  @Test("A random order is a uniform permutation")
  func orderIsAPermutationAndUniform() {
    // Counts each of the 24 permutations of 4 elements over many seeds.
    var counts: [[UInt32]: Int] = [:]
    let trials = 24_000
    for seed in 0..<trials {
      var generator = SeededGenerator(seed: UInt64(seed), .streamOrder)
      counts[randomOrder(of: 4, using: &generator), default: 0] += 1
    }
    #expect(counts.count == 24 && counts.keys.allSatisfy { $0.sorted() == [0, 1, 2, 3] })
    let statistic = Statistics.chiSquared(
      observed: Array(counts.values), probabilities: Array(repeating: 1 / 24, count: 24))
    #expect(statistic < Statistics.chiSquaredBound(degreesOfFreedom: 23, sigmas: 4))
  }

  @Test("Unit numbers are at least 0 and below 1")
  func unitStaysBelowOne() {
    var generator = SeededGenerator(seed: 1, .test)
    let values = (0..<10_000).map { _ in generator.nextUnit() }
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
  }
}
