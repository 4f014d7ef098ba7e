import OnePassCore
import Testing

@testable import OnePass

@Suite("Shares of a mini-batch among ranks") struct BatchSharesTests {
  @Test(
    "The shares of all ranks cover the mini-batch once",
    arguments: [(128, 1), (128, 4), (10, 3), (2, 5), (0, 2), (7, 7)])
  func partsCoverTheBatchOnce(count: Int, ranks: Int) {
    let shares = BatchShares(ranks: ranks)
    let parts = (0..<ranks).map { shares.part(of: count, for: $0) }
    #expect(parts.flatMap(Array.init) == Array(0..<count))
    for offset in 0..<count { #expect(parts[shares.rank(of: offset, count: count)].contains(offset)) }
    #expect((parts.map(\.count).max() ?? 0) - (parts.map(\.count).min() ?? 0) <= 1)
  }

  /// One example of every mini-batch, which belongs to another rank.
  @Test(
    "A witness is an example of another rank",
    arguments: [(128, 1), (128, 4), (10, 3), (2, 5), (1, 2), (0, 2), (7, 7)])
  func aWitnessBelongsToAnotherRank(count: Int, ranks: Int) {
    let shares = BatchShares(ranks: ranks)
    for rank in 0..<ranks {
      guard let place = shares.witness(of: count, for: rank) else {
        #expect(shares.part(of: count, for: rank).count == count)
        continue
      }
      #expect((0..<count).contains(place) && !shares.part(of: count, for: rank).contains(place))
    }
  }

  @Test("Every rank trains its share on the images that it has")
  func everyRankTrainsOnItsNumberAndKeepsWhatItCan() {
    var chance = SeededGenerator(seed: 1, .test)
    for _ in 0..<200 {
      let (count, ranks) = (chance.next(below: 60), 1 + chance.next(below: 6))
      let shares = BatchShares(ranks: ranks)
      let holders = (0..<count).map { _ in chance.next(below: ranks) }
      let trainers = shares.trainers(ofHolders: holders)
      #expect(trainers.count == count)
      var moved = 0
      for rank in 0..<ranks {
        let number = shares.part(of: count, for: rank).count
        #expect(trainers.count { $0 == rank } == number)
        moved += max(0, holders.count { $0 == rank } - number)
      }
      // The least that any division into parts of these sizes moves.
      #expect(zip(holders, trainers).count { $0 != $1 } == moved)
    }
  }
}
