/// The division of a global mini-batch among ranks: contiguous parts whose sizes differ by at most 1.
///
/// The mini-batch itself does not depend on the number of ranks.
struct BatchShares {
  let ranks: Int

  init(ranks: Int) {
    precondition(ranks >= 1, "A mini-batch is shared by at least one rank.")
    self.ranks = ranks
  }

  /// The place in a mini-batch of an example that a rank reads although it belongs to another one: the one after its part, or
  /// the first one; `nil` if the rank has the whole mini-batch.
  func witness(of count: Int, for rank: Int) -> Int? {
    let part = part(of: count, for: rank)
    return part.upperBound < count ? part.upperBound : part.lowerBound > 0 ? 0 : nil
  }

  /// The part of a rank in a mini-batch of `count` examples.
  func part(of count: Int, for rank: Int) -> Range<Int> {
    count * rank / ranks..<count * (rank + 1) / ranks
  }

  /// The rank whose part contains the example at `offset` of `count`.
  func rank(of offset: Int, count: Int) -> Int {
    precondition((0..<count).contains(offset), "An example is one of the mini-batch.")
    return ((offset + 1) * ranks - 1) / count
  }

  /// The rank that trains on each example of a drawn mini-batch, given the ranks that hold their images.
  ///
  /// Every rank trains on as many examples as its part has. A rank trains on its own images up to that number, in the order of
  /// the mini-batch. Its surplus goes to ranks that hold too few. So only the surplus moves: with uniform draws, about
  /// √(count · ranks / 2π) images per mini-batch. Every rank computes the same result without communication.
  func trainers(ofHolders holders: [Int]) -> [Int] {
    var room = (0..<ranks).map { part(of: holders.count, for: $0).count }
    var trainers: [Int?] = holders.map { holder in
      guard room[holder] > 0 else { return nil }
      room[holder] -= 1
      return holder
    }
    var next = 0
    for index in trainers.indices where trainers[index] == nil {
      while room[next] == 0 { next += 1 }
      room[next] -= 1
      trainers[index] = next
    }
    return trainers.compactMap { $0 }
  }
}
