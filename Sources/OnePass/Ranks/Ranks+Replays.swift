import OnePassCore
import OnePassReplay

extension Ranks {
  /// The division of a drawn mini-batch: the rank that trains on each example, and this rank's part.
  struct Division {
    let trainers: [Int]
    /// The indices of this rank's part.
    let places: [Int]
    let examples: [Example]
  }

  /// Divides drawn mini-batches among ranks, and sends images to ranks that train on them without holding them.
  /// - Parameter holder: Returns the rank that holds the image of an example.
  func divide(_ draws: [[DrawnExample]], holder: (Int) -> Int) throws -> [Division] {
    guard count > 1 else {
      return draws.map {
        Division(
          trainers: Array(repeating: 0, count: $0.count), places: Array($0.indices),
          examples: $0.map(\.example)
        )
      }
    }
    let trainers = draws.map { drawn in shares.trainers(ofHolders: drawn.map { holder($0.example.id) }) }
    var parcels = Array(repeating: [SentImage](), count: count)
    for (drawn, trainers) in zip(draws, trainers) {
      for (example, trainer) in zip(drawn.map(\.example), trainers)
      where trainer != rank && example.image.isHere {
        parcels[trainer].append(SentImage(id: example.id, image: example.image))
      }
    }
    let received = Dictionary(try exchange(parcels).joined().map { ($0.id, $0.image) }) { first, _ in first }
    return try zip(draws, trainers).map { drawn, trainers in
      let places = trainers.indices.filter { trainers[$0] == rank }
      return Division(
        trainers: trainers, places: places,
        examples: try places.map { place in
          let example = drawn[place].example
          guard !example.image.isHere else { return example }
          guard let image = received[example.id] else {
            throw OnePassError.imageNotSent(byRank: holder(example.id), example: example.id)
          }
          return Example(id: example.id, label: example.label, image: image)
        })
    }
  }
}
