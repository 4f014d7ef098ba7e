import OnePassCore

extension ReplayMemory {
  /// Draws a mini-batch, with replacement: step 2 of the method. An empty memory gives an empty batch.
  ///
  /// The draw depends on the memory's state, the seed, `step` and `batch`, and on nothing else.
  ///
  /// The images stay where they are and are not copied. Where the memory lets go of one, it goes when the last example of
  /// this mini-batch goes.
  /// - Parameters:
  ///   - count: The size of the mini-batch.
  ///   - step: The step of the run for which the batch is drawn.
  ///   - batch: Which of the step's replay batches, 0 ..< k.
  /// - Throws: `OnePassError` if the images lie on disk and one cannot be read (`io`) or is damaged (`badData`).
  /// - Complexity: O(count) expected.
  public mutating func draw(_ count: Int, step: Int, batch: Int) throws -> [DrawnExample] {
    guard self.count > 0 else { return [] }
    var generator = SeededGenerator(seed: seed, .draw, step, batch)
    counters.draws += count
    var visits: [UInt32] = []
    let selections =
      tellsDraws
      ? (0..<count).map { _ in
        let selection = drawing.select(using: &generator)
        visits.append(countDraw(of: selection.slot))
        inform(selection.slot, priority(of: selection.slot))
        return selection
      } : drawing.select(count, using: &generator)
    let loan = table.lend(selections.map(\.slot))
    return try selections.indices.map { index in
      let (slot, probability) = (selections[index].slot, selections[index].probability)
      let visit = tellsDraws ? visits[index] : countDraw(of: slot)
      let image = try loan.map { table.image(of: slot, on: $0) } ?? imageInStore(of: slot)
      return DrawnExample(
        example: Example(id: table.arrival(of: slot), label: Int(table.label(of: slot)), image: image),
        slot: slot, visit: Int(visit), probability: probability, prediction: table.prediction(of: slot))
    }
  }

  private mutating func countDraw(of slot: Int) -> UInt32 {
    let visit = table.countDraw(of: slot)
    if visit == 1 { counters.distinctDrawn += 1 }
    return visit
  }

  func imageInStore(of slot: Int) throws -> EncodedImage {
    guard let store else {
      preconditionFailure("A memory without images can be looked at, not drawn from.")
    }
    return try store.image(id: table.arrival(of: slot), imageBytes: table.imageBytes(of: slot))
  }
}

/// An example that was drawn from the memory, and how.
public struct DrawnExample: Sendable {
  public let example: Example
  /// Where it stood when it was drawn.
  public let slot: Int
  /// How often it has been drawn since it came into the memory, this time included; see ``MemoryItem/draws``.
  public let visit: Int
  /// The probability with which this draw fell on it.
  public let probability: Double
  /// What the model took it for when it was trained last, where the memory keeps predictions.
  public let prediction: StoredPrediction?
}
