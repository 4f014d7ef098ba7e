import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@Suite("Stored predictions") struct StoredPredictionTests {
  /// A distribution over so many classes, and what is kept of it.
  func random(_ classes: Int, _ chance: inout SeededGenerator) -> (exact: [Double], kept: StoredPrediction) {
    // Powers, so that some are certain and some are not.
    let power = 8 * chance.nextUnit()
    let weights = (0..<classes).map { _ in pow(chance.nextUnit(), power) + 1e-12 }
    let sum = weights.reduce(0, +)
    let exact = weights.map { $0 / sum }
    let likeliest = exact.indices.sorted { (exact[$1], $0) < (exact[$0], $1) }.prefix(4)
    return (
      exact,
      StoredPrediction(classes: Array(likeliest), probabilities: likeliest.map { Float(exact[$0]) })
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

  func makeMemory(
    _ capacity: ReplayMemory.Capacity = .examples(40), drawing: SelectorKind = .prioritised,
    evicting: SelectorKind = .uniform
  ) -> ReplayMemory {
    ReplayMemory(capacity: capacity, drawing: drawing, evicting: evicting, seed: 3, predictedClasses: 10)
  }

  @Test("Predictions count in the bytes of an item and nowhere else")
  func theyAreInTheBytesOfAnItemAndNowhereElse() throws {
    for (drawing, bytes) in [(SelectorKind.prioritised, 31), (.uniform, 24)] {
      let plain = ReplayMemory(capacity: .examples(1), drawing: drawing, seed: 1)
      #expect(plain.indexBytesPerItem == bytes && plain.predictedClasses == nil)
      #expect(makeMemory(drawing: drawing).indexBytesPerItem == bytes + 12)
    }
    var memory = makeMemory()
    var chance = SeededGenerator(seed: 1, .test)
    for id in 0..<200 {
      try memory.offer(.synthetic(id), loss: 1, priority: 1, prediction: random(10, &chance).kept)
    }
    #expect(memory.counters.bytes == 40 * (31 + 12 + 16))
    let budget = 2_000
    var inBytes = makeMemory(.bytes(budget))
    for id in 0..<200 {
      try inBytes.offer(.synthetic(id), loss: 1, priority: 1, prediction: random(10, &chance).kept)
    }
    #expect(inBytes.counters.peakItems == budget / (31 + 12 + 16))
  }

  /// Whatever comes, goes and moves: each item has the prediction that it was given last.
  @Test(
    "Each item keeps its own prediction",
    arguments: [SelectorKind.uniform, .oldest, .fewestReplays],
    [ReplayMemory.Capacity.examples(40), .bytes(2_500)])
  func eachItemHasItsOwn(evicting: SelectorKind, capacity: ReplayMemory.Capacity) throws {
    var memory = makeMemory(capacity, evicting: evicting)
    var chance = SeededGenerator(seed: 5, .test)
    var known: [Int: StoredPrediction] = [:]
    var stale: [DrawnExample] = []
    var copy: (memory: ReplayMemory, known: [Int: StoredPrediction])?
    var losses = 0
    for step in 0..<80 {
      let drawn = try memory.draw(8, step: step, batch: 0)
      for item in drawn { #expect(item.prediction == known[item.example.id]) }
      for item in drawn.prefix(4) {
        let prediction = random(10, &chance).kept
        memory.refresh(item, prediction: prediction)
        known[item.example.id] = prediction
      }
      // Of steps before: some are gone, and others in their place.
      for item in stale where !memory.items.contains(where: { $0.id == item.example.id }) {
        memory.refresh(item, prediction: random(10, &chance).kept)
        losses += 1
      }
      stale = Array(drawn.suffix(4))
      for id in step * 8..<step * 8 + 8 {
        let prediction = random(10, &chance).kept
        known[id] = prediction
        try memory.offer(
          .synthetic(id, bytes: 1 + id % 30), loss: 1, priority: Float(chance.nextUnit()),
          prediction: prediction)
      }
      if step % 7 == 6 { try memory.forget { $0.id % 5 == step % 5 } }
      memory.checkInvariants()
      for item in memory.items { #expect(item.prediction == known[item.id], "step \(step)") }
      if step == 40 { copy = (memory, known) }
    }
    // What was drawn goes last where the fewest replays decide.
    #expect((losses > 20 || evicting == .fewestReplays) && memory.count > 20)
    // A copy is not told of what became of the other.
    let kept = try #require(copy)
    for item in kept.memory.items { #expect(item.prediction == kept.known[item.id]) }
  }

  @Test("A drawn mini-batch has the predictions of its items")
  func aMiniBatchComesWithItsPredictions() throws {
    var (together, apart) = (makeMemory(), makeMemory())
    var chance = SeededGenerator(seed: 2, .test)
    for batch in 0..<20 {
      let examples = (batch * 10..<batch * 10 + 10).map { Example.synthetic($0) }
      let predictions = examples.map { _ in random(10, &chance).kept }
      let ones = examples.map { _ in Float(1) }
      try together.offer(examples, losses: ones, priorities: ones, predictions: predictions)
      for (example, prediction) in zip(examples, predictions) {
        try apart.offer(example, loss: 1, priority: 1, prediction: prediction)
      }
    }
    #expect(together.snapshot == apart.snapshot)
  }

  @Test("A snapshot contains predictions")
  func aSnapshotHasThem() throws {
    var memory = makeMemory()
    var chance = SeededGenerator(seed: 4, .test)
    for id in 0..<90 {
      try memory.offer(.synthetic(id), loss: 1, priority: 1, prediction: random(10, &chance).kept)
    }
    func image(_ item: MemoryItem) -> EncodedImage { Example.synthetic(item.id).image }
    var copy = makeMemory()
    try copy.restore(memory.snapshot, image: image)
    #expect(copy.snapshot == memory.snapshot && Set(copy.items.map(\.prediction)).count == 40)
    let (ours, theirs) = (
      try memory.draw(30, step: 0, batch: 0), try copy.draw(30, step: 0, batch: 0)
    )
    #expect(ours.map(\.prediction) == theirs.map(\.prediction))

    // Of other classes, or where none are kept.
    let others = [
      ReplayMemory(capacity: .examples(40), seed: 3),
      ReplayMemory(capacity: .examples(40), seed: 3, predictedClasses: 3),
    ]
    for other in others {
      var other = other
      #expect { try other.restore(memory.snapshot, image: image) } throws: {
        ($0 as? OnePassError)?.code == .badData && "\($0)".contains("has another prediction")
      }
    }
  }

  @Test("A prediction names the classes that it was given")
  func itNamesWhatItWasGiven() {
    let prediction = StoredPrediction(classes: [7, 2, 65_535], probabilities: [0.6, 0.2, 0.1])
    #expect(prediction.classes == [7, 2, 65_535])
    #expect(zip(prediction.probabilities, [0.6, 0.2, 0.1]).allSatisfy { abs($0 - $1) <= 1 / 255 })
  }
}
