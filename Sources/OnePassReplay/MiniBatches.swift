import OnePassCore

extension ReplayMemory {
  /// Offers a mini-batch, one after the other, in less time.
  /// - Parameters:
  ///   - examples: The next examples.
  ///   - losses: The loss of each.
  ///   - priorities: The priority of each.
  ///   - predictions: What the model took each for, where the memory keeps predictions; empty elsewhere.
  ///   - encode: Makes the form in which an image is kept, as for one example.
  /// - Throws: As for one example; the memory then holds what it held after the one before.
  /// - Returns: What became of each.
  @discardableResult
  public mutating func offer(
    _ examples: [Example], losses: [Float], priorities: [Float], predictions: [StoredPrediction] = [],
    storing encode: (EncodedImage) throws -> EncodedImage = { $0 }
  ) throws -> [Offer] {
    precondition(
      examples.count == losses.count && examples.count == priorities.count, "Each has a loss and a priority.")
    precondition(
      predictions.count == (predictedClasses == nil ? 0 : examples.count),
      "Each has a prediction where the memory keeps them, and none elsewhere.")
    readAhead(examples)
    return try examples.indices.map { index in
      let prediction = predictedClasses == nil ? nil : predictions[index]
      check(loss: losses[index], priority: priorities[index], prediction)
      // What is declined is not looked at: it may be waited for, as anything that has left the processor's caches.
      guard var chance = chanceOfNextOffer() else { return .declined }
      return try takeIn(
        examples[index], loss: losses[index], priority: priorities[index], prediction: prediction,
        storing: encode, using: &chance)
    }
  }

  /// Reads what the next offers need, where it is known which items will make room: a full memory's, chosen uniformly.
  private mutating func readAhead(_ examples: [Example]) {
    guard capacity == .examples(count), var evicting = evicting as? UniformSelector else { return }
    var victims: [Int] = []
    var bytes = 0
    for index in examples.indices {
      let seen = counters.examplesSeen + 1 + index
      var generator = SeededGenerator(seed: seed, .reservoir, seen)
      guard includes(seen: seen, capacity: count, using: &generator) else { continue }
      victims.append(evicting.select(using: &generator).slot)
      bytes &+= examples[index].image.byteCount
    }
    readAhead = table.readAhead(victims) &+ bytes
    drawing.readAhead(victims)
  }
}
