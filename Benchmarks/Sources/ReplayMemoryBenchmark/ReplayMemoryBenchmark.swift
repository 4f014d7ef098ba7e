import Foundation
import OnePassCore
import OnePassReplay

/// Times the replay memory with the same work as `peers/replay_memory.py`, and prints one JSON record.
///
///     ReplayMemoryBenchmark [ITEMS] [PAYLOAD BYTES] [REPEATS]
@main struct ReplayMemoryBenchmark {
  static let batch = 128

  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let items = arguments.first ?? 100_000
    let payload = arguments.dropFirst().first ?? 2_048
    let repeats = arguments.dropFirst(2).first ?? 5

    for (name, priority) in regimes {
      var rates: [String: [Double]] = [:]
      for repetition in 0..<repeats {
        try measure(items: items, payload: payload, seed: UInt64(repetition), priority: priority) {
          rates[$0, default: []].append($1)
        }
      }
      var record: [String: Any] = [
        "library": "onepass", "priorities": name, "items": items, "payload_bytes": payload,
        "batch_size": batch,
        "repeats": repeats,
      ]
      for (name, values) in rates { record[name] = values.sorted()[values.count / 2] }
      let data = try? JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
      print(String(decoding: data ?? Data(), as: UTF8.self))
    }
  }

  /// Priorities spread over a decade, and P = 1 − α·e^−loss late in a run: α near 1, losses small.
  static let regimes: [(String, @Sendable (inout SeededGenerator) -> Float)] = [
    ("uniform(0.1, 1)", { Float(0.1 + 0.9 * $0.nextUnit()) }),
    ("late in training", { Float(1 - 0.98 * exp(0.05 * log(max($0.nextUnit(), 1e-300)))) }),
  ]

  static func measure(
    items: Int, payload: Int, seed: UInt64, priority: (inout SeededGenerator) -> Float,
    report: (String, Double) -> Void
  ) throws {
    var chance = SeededGenerator(seed: seed, .test)
    let images = (0..<256 * batch).map { _ in EncodedImage(bytes: Array(repeating: 7, count: payload)) }
    let priorities = images.map { _ in priority(&chance) }

    func offer(_ length: Int, bias: Double) throws -> (rate: Double, memory: ReplayMemory) {
      var memory = ReplayMemory(
        capacity: .examples(items), inclusion: InclusionProbability(recencyBias: bias), seed: seed)
      func offer(_ range: Range<Int>) throws {
        for id in range {
          let index = id % images.count
          try memory.offer(
            Example(id: id, label: id % 10, image: images[index]), loss: 1, priority: priorities[index])
        }
      }
      try offer(0..<items)
      let seconds = try time { try offer(items..<items + length) }
      return (Double(length) / seconds, memory)
    }
    // A stream ten times the capacity, most of which is refused; then one of which all is taken in.
    var (rate, memory) = try offer(10 * items, bias: 1.5)
    report("offers_per_second", rate)
    report("inserts_with_eviction_per_second", try offer(items, bias: .greatestFiniteMagnitude).rate)

    let steps = 20 * items / batch
    var checksum = 0
    let seconds = try time {
      for step in 0..<steps {
        for drawn in try memory.draw(batch, step: step, batch: 0) { checksum &+= drawn.example.id }
      }
    }
    precondition(checksum != 0, "The draws are used.")
    report("draws_per_second", Double(steps * batch) / seconds)
  }

  static func time(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    return try clock.measure(body) / .seconds(1)
  }
}
