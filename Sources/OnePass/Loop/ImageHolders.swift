/// Maps examples in the memory to the rank that holds their image.
///
/// It is the rank that read the example from the stream. After a change of the number of ranks, it is the rank that would have
/// read it with the present number.
struct ImageHolders {
  let shares: BatchShares
  let batchSize: Int
  let streamExamples: Int

  func holder(of id: Int) -> Int {
    let start = id / batchSize * batchSize
    return shares.rank(of: id - start, count: min(batchSize, streamExamples - start))
  }
}
