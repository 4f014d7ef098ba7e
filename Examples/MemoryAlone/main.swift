// Uses the replay memory with a custom trainer and a custom selector, without libtorch and images. A logistic regression
// in plain Swift learns from a stream in which 20 % of the readings are of the rare class. The selector keeps the
// classes balanced.
// Run it with: swift run MemoryAlone
import Foundation
import OnePassCore
import OnePassReplay

/// Evicts from the largest class.
struct ClassBalance: ItemSelector {
  static let bytesPerItem = MemoryLayout<Int>.stride
  static let dependsOnDraws = false
  private var labels: [Int] = []
  private var counts: [Int: Int] = [:]

  var count: Int { labels.count }

  mutating func append(_ item: ItemFacts) {
    labels.append(item.label)
    counts[item.label, default: 0] += 1
  }

  mutating func update(_ slot: Int, to item: ItemFacts) {
    counts[labels[slot], default: 0] -= 1
    labels[slot] = item.label
    counts[item.label, default: 0] += 1
  }

  mutating func remove(_ slot: Int) {
    counts[labels[slot], default: 0] -= 1
    labels.swapAt(slot, count - 1)
    labels.removeLast()
  }

  mutating func select(using generator: inout SeededGenerator) -> Selection {
    let most = counts.values.max() ?? 0
    while true {
      let slot = generator.next(below: count)
      let size = counts[labels[slot], default: 0]
      if size == most { return Selection(slot: slot, probability: 1 / Double(size)) }
    }
  }
}

/// A logistic regression of one feature.
struct Regression {
  var slope = 0.0
  var offset = 0.0

  /// Makes one gradient step on weighted readings.
  /// - Returns: The loss of each reading before the step.
  mutating func train(_ readings: [(value: Double, label: Int)], weights: [Float]) -> [Float] {
    var losses: [Float] = []
    var (slopeGradient, offsetGradient) = (0.0, 0.0)
    for (reading, weight) in zip(readings, weights) {
      let probability = 1 / (1 + exp(-(slope * reading.value + offset)))
      losses.append(Float(-log(max(1e-9, reading.label == 1 ? probability : 1 - probability))))
      let error = Double(weight) * (probability - Double(reading.label)) / Double(readings.count)
      (slopeGradient, offsetGradient) = (slopeGradient + error * reading.value, offsetGradient + error)
    }
    (slope, offset) = (slope - slopeGradient, offset - offsetGradient)
    return losses
  }
}

/// The reading at a position of the stream, encoded as bytes.
func reading(at position: Int) -> Example {
  var chance = SeededGenerator(seed: 5, .program, position)
  let label = position % 5 == 0 ? 1 : 0
  let value = UInt8((label == 1 ? 120 : 80) + chance.next(below: 80))
  return Example(id: position, label: label, image: EncodedImage(bytes: [value]))
}

func value(of example: Example) -> Double { Double(example.image.bytes[0]) / 64 - 2 }

var memory = ReplayMemory(
  capacity: .examples(200), drawing: PrioritisedSelector(), evicting: ClassBalance(), seed: 1)
var regression = Regression()
let (steps, batch) = (1_250, 8)
for step in 0..<steps {
  // 1. Take the next readings.
  let incoming = (0..<batch).map { reading(at: step * batch + $0) }
  // 2. Draw a mini-batch from the memory, each item with probability P/ΣP, …
  let drawn = try memory.draw(batch, step: step, batch: 0)
  // 3. … and train with importance weights that correct for these probabilities.
  let weights = importanceWeights(forProbabilities: drawn.map(\.probability))
  let losses = regression.train(
    incoming.map { (value(of: $0), $0.label) }, weights: [Float](repeating: 1, count: batch))
  _ = regression.train(drawn.map { (value(of: $0.example), $0.example.label) }, weights: weights)
  // 4. Offer the readings to the memory, with priorities from their losses.
  let priority = LossPriority()
  let progress = RunProgress(step: step, of: steps)
  try memory.offer(
    incoming, losses: losses,
    priorities: losses.map { Float(priority.priority(loss: Double($0), progress: progress)) })
}

let rare = memory.items.count { $0.label == 1 }
print("offered   \(memory.counters.examplesSeen) readings, 20 % of them of the rare class")
print(
  "kept      \(memory.counters.items) readings, \(Int((Double(rare) / 2).rounded())) % of them of the rare class"
)
print("peak      \(memory.counters.peakItems) readings, \(memory.counters.peakBytes) bytes with the index")
print("drawn     \(memory.counters.draws) times")
print("learned   a \(regression.slope > 0 ? "positive" : "negative") slope")
