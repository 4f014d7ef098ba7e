/// How a global mini-batch is divided among ranks: contiguous parts whose sizes differ by at most 1.
///
/// The mini-batch is the same for any number of ranks; only who computes which part of it differs.
struct BatchShares {
  let ranks: Int

  init(ranks: Int) {
    precondition(ranks >= 1, "A mini-batch is shared by at least one rank.")
    self.ranks = ranks
  }

  /// The part of `count` examples that a rank has.
  func part(of count: Int, for rank: Int) -> Range<Int> {
    count * rank / ranks..<count * (rank + 1) / ranks
  }

  /// The rank whose part has the example at `offset` of `count`.
  func rank(of offset: Int, count: Int) -> Int {
    precondition((0..<count).contains(offset), "An example is one of the mini-batch.")
    return ((offset + 1) * ranks - 1) / count
  }

  /// Who trains on which example of a drawn mini-batch, given who holds each.
  ///
  /// Every rank trains on as many as its part has. A rank keeps what it holds up to that number, in the order of the
  /// mini-batch; what it holds beyond goes to ranks that hold too few. So no more than the surplus moves, for uniform
  /// draws about √(count · ranks / 2π) images a mini-batch; and every rank comes to the same answer by itself.
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
