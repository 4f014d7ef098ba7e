import OnePassCore

extension ReplayMemory {
  /// Draws a mini-batch with replacement: step 2 of the method. An empty memory yields an empty mini-batch.
  ///
  /// The draw depends only on the memory's state, the seed, `step` and `batch`.
  ///
  /// Images in RAM are not copied. If the memory removes one, it is deallocated together with the last example of the mini-batch.
  /// - Parameters:
  ///   - count: The size of the mini-batch.
  ///   - step: The step of the run for which the batch is drawn.
  ///   - batch: The index of the mini-batch within the step, 0 ..< k.
  /// - Throws: `OnePassError` if images are on disk and one cannot be read (`io`) or is damaged (`badData`).
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
        slot: slot, visit: Int(visit), probability: probability, note: table.note(of: slot))
    }
  }

  private mutating func countDraw(of slot: Int) -> UInt32 {
    let visit = table.countDraw(of: slot)
    if visit == 1 { counters.distinctDrawn += 1 }
    return visit
  }

  func imageInStore(of slot: Int) throws -> EncodedImage {
    guard let store else {
      preconditionFailure("A memory without images cannot be drawn from.")
    }
    return try store.image(id: table.arrival(of: slot), imageBytes: table.imageBytes(of: slot))
  }
}

/// An example that was drawn from the memory, with the facts of the draw.
///
/// ```swift
/// var memory = ReplayMemory(capacity: .examples(6_000), seed: 1)
/// try memory.offer(example, loss: 2.3, priority: 0.9)
/// for drawn in try memory.draw(128, step: 0, batch: 0) {
///   print(drawn.example.label, drawn.visit, drawn.probability)
/// }
/// ```
public struct DrawnExample: Sendable {
  /// The example.
  public let example: Example
  /// Its slot at the time of the draw.
  public let slot: Int
  /// The number of draws since its insertion, including this one; see ``MemoryItem/draws``.
  public let visit: Int
  /// The probability with which a draw yields it, 0 … 1.
  public let probability: Double
  /// The note of the item; `nil` if the memory stores none.
  public let note: ItemNote?
}
