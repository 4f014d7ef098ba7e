import Testing

@testable import OnePass

@Suite struct TrainedExamplesTests {
  @Test("What smaller images come to is one number, in whatever order they were counted")
  func order() {
    let parts = (1...56).map { (side: 4 * $0, examples: 7 * $0 + 1) }
    let pixels = parts.reduce(0) { $0 + $1.examples * $1.side * $1.side }
    for turn in 0..<50 {
      var trained = TrainedExamples()
      for part in parts[turn...] + parts[..<turn] { trained.record(part.examples, side: part.side) }
      #expect(trained.atFullSide(224) == Double(pixels) / (224 * 224))
      #expect(trained.count == parts.reduce(0) { $0 + $1.examples })
      #expect(trained.sides.map(\.side) == parts.map(\.side))
    }
  }
}
