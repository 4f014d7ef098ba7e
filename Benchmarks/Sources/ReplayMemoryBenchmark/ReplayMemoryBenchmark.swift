import Foundation
import OnePassCore
import OnePassReplay

/// Times the replay memory with the same work as `peers/replay_memory.py`, and prints one JSON record.
///
///     ReplayMemoryBenchmark [ITEMS] [PAYLOAD BYTES] [REPEATS]
@main struct ReplayMemoryBenchmark {
  static let batch = 128

  static func main() {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let items = arguments.first ?? 100_000
    let payload = arguments.dropFirst().first ?? 2_048
    let repeats = arguments.dropFirst(2).first ?? 5

    var rates: [String: [Double]] = [:]
    for repetition in 0..<repeats {
      let examples = (0..<batch).map { index in
        EncodedImage(bytes: Array(repeating: UInt8(index), count: payload))
      }
      // A stream ten times the capacity, most of which is refused, and a stream of which all is taken in.
      for (name, bias, length) in [("offers", 1.5, 10 * items), ("inserts", 1e18, 4 * items)] {
        var memory = filled(items, examples, bias: bias, seed: UInt64(repetition)) { _ in 0.5 }
        let seconds = time {
          for id in items..<items + length {
            memory.offer(
              Example(id: id, label: id % 10, image: examples[id % batch]), loss: 1,
              priority: Float(id % 97 + 1) / 97)
          }
        }
        rates["\(name)_per_second", default: []].append(Double(length) / seconds)
      }
      var chance = SeededGenerator(seed: 1, .test, repetition)
      let priorities: [(String, () -> Float)] = [
        ("wide", { Float(0.1 + 0.9 * chance.nextUnit()) }),
        // P = 1 − α·e^−loss late in a run: α near 1, losses small.
        ("late", { Float(1 - 0.98 * exp(0.05 * log(max(chance.nextUnit(), 1e-300)))) }),
      ]
      for (name, priority) in priorities {
        var memory = filled(items, examples, bias: 1.5, seed: UInt64(repetition)) { _ in priority() }
        let draws = 20 * items
        var checksum = 0
        let seconds = time {
          for step in 0..<draws / batch {
            for drawn in memory.draw(batch, step: step, batch: 0) { checksum &+= drawn.example.id }
          }
        }
        precondition(checksum != 0)
        rates["draws_per_second_\(name)", default: []].append(Double(draws / batch * batch) / seconds)
      }
    }
    var record: [String: Any] = ["library": "onepass", "items": items, "payload_bytes": payload, "repeats": repeats]
    for (name, values) in rates { record[name] = values.sorted()[values.count / 2] }
    let data = try? JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
    print(String(decoding: data ?? Data(), as: UTF8.self))
  }

  static func filled(
    _ items: Int, _ images: [EncodedImage], bias: Double, seed: UInt64, priority: (Int) -> Float
  ) -> ReplayMemory {
    var memory = ReplayMemory(
      capacity: .examples(items), inclusion: InclusionProbability(recencyBias: bias), seed: seed)
    for id in 0..<items {
      // A copy of the bytes for each item, as a stream delivers them.
      let image = EncodedImage(bytes: images[id % batch].bytes.map { $0 })
      memory.offer(Example(id: id, label: id % 10, image: image), loss: 1, priority: priority(id))
    }
    return memory
  }

  static func time(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    return clock.measure(body) / .seconds(1)
  }
}
