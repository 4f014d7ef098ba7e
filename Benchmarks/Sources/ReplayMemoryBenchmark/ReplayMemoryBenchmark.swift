import Foundation
import OnePassCore
import OnePassReplay

/// Times the replay memory with the same work as `peers/replay_memory.py`, and prints a JSON record for each regime.
///
///     ReplayMemoryBenchmark [ITEMS] [PAYLOAD BYTES] [REPEATS] [REGIMES]
///
/// The memory is filled with payloads that nobody else holds, as a source delivers them. Rates are by the clock, and by
/// the process's own processor time.
@main struct ReplayMemoryBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let items = arguments.first ?? 128_000
    let payload = arguments.dropFirst().first ?? 2_048
    let repeats = arguments.dropFirst(2).first ?? 5

    var isFirst = true
    for (name, priority) in regimes.prefix(arguments.dropFirst(3).first ?? regimes.count) {
      var figures: [String: [Double]] = [:]
      for repetition in 0..<repeats {
        let run = Run(
          items: items, payload: payload, seed: UInt64(repetition), isFirst: isFirst, priority: priority)
        isFirst = false
        for (name, figure) in try run.measure() { figures[name, default: []].append(figure) }
      }
      var record: [String: Any] = [
        "library": "onepass", "priorities": name, "items": items, "payload_bytes": payload,
        "batch_size": Run.batch, "repeats": repeats,
      ]
      for (name, values) in figures { record[name] = values.sorted()[values.count / 2] }
      let data = try JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
      print(String(decoding: data, as: UTF8.self))
    }
  }

  /// Priorities spread over a decade, and P = 1 − α·e^−loss late in a run: α near 1, losses small.
  static let regimes: [(String, @Sendable (inout SeededGenerator) -> Float)] = [
    ("uniform(0.1, 1)", { Float(0.1 + 0.9 * $0.nextUnit()) }),
    ("late in training", { Float(1 - 0.98 * exp(0.05 * log(max($0.nextUnit(), 1e-300)))) }),
  ]
}

/// One repeat: fill, draw, offer a stream of ten times the capacity; fill again and insert with eviction.
struct Run {
  static let batch = 128
  let items: Int
  let payload: Int
  let seed: UInt64
  /// Whether no run came before, whose freed memory would be used again: only then can it be told what is resident.
  let isFirst: Bool
  /// What is offered again and again: enough different payloads that they do not stay in a cache.
  let pool: [EncodedImage]
  let priorities: [Float]

  init(items: Int, payload: Int, seed: UInt64, isFirst: Bool, priority: (inout SeededGenerator) -> Float) {
    (self.items, self.payload, self.seed, self.isFirst) = (items, payload, seed, isFirst)
    pool = (0..<256 * Self.batch).map { _ in Self.image(payload) }
    var chance = SeededGenerator(seed: seed, .test)
    priorities = pool.map { _ in priority(&chance) }
  }

  static func image(_ payload: Int) -> EncodedImage {
    EncodedImage(bytes: Array(repeating: 7, count: payload))
  }

  func measure() throws -> [String: Double] {
    var figures: [String: Double] = [:]
    let before = residentBytes
    do {
      var memory = try filled(bias: 1.5)
      if isFirst {
        figures["resident_bytes_per_payload_byte"] = Double(residentBytes - before) / Double(items * payload)
      }
      figures["index_bytes_per_item"] = Double(memory.indexBytesPerItem)
      let steps = 1_280_000 / Self.batch
      var (rate, checksum) = (Rate(), 0)
      try rate.time {
        for step in 0..<steps {
          for drawn in try memory.draw(Self.batch, step: step, batch: 0) { checksum &+= drawn.example.id }
        }
      }
      precondition(checksum != 0, "The draws are used.")
      figures.merge(rate.figures("draws", of: steps * Self.batch)) { $1 }
      // Most of it is refused; then one of which all is taken in.
      rate = try offer(items..<11 * items, to: &memory)
      figures.merge(rate.figures("offers", of: 10 * items)) { $1 }
    }
    var memory = try filled(bias: .greatestFiniteMagnitude)
    let rate = try offer(items..<2 * items, to: &memory)
    figures.merge(rate.figures("inserts_with_eviction", of: items)) { $1 }
    return figures
  }

  func filled(bias: Double) throws -> ReplayMemory {
    var memory = ReplayMemory(
      capacity: .examples(items), inclusion: InclusionProbability(recencyBias: bias), seed: seed)
    for id in 0..<items {
      try memory.offer(
        Example(id: id, label: id % 10, image: Self.image(payload)), loss: 1,
        priority: priorities[id % pool.count])
    }
    return memory
  }

  /// Offers a stream in mini-batches, as training does; what makes the examples is not timed.
  func offer(_ ids: Range<Int>, to memory: inout ReplayMemory) throws -> Rate {
    var rate = Rate()
    for first in stride(from: ids.lowerBound, to: ids.upperBound, by: pool.count) {
      let batches = stride(from: 0, to: min(pool.count, ids.upperBound - first), by: Self.batch).map {
        start in
        (start..<min(start + Self.batch, ids.upperBound - first)).map {
          Example(id: first + $0, label: $0 % 10, image: pool[$0])
        }
      }
      try rate.time {
        for (batch, priorities) in zip(batches, batches.indices.map { priorities[($0 * Self.batch)...] }) {
          try memory.offer(
            batch, losses: Array(repeating: 1, count: batch.count),
            priorities: Array(priorities.prefix(batch.count)))
        }
      }
    }
    return rate
  }
}

/// How long something took, by the clock and by the processor.
struct Rate {
  var seconds = 0.0
  var processorSeconds = 0.0

  mutating func time(_ body: () throws -> Void) rethrows {
    let processor = clock()
    seconds += try ContinuousClock().measure(body) / .seconds(1)
    processorSeconds += Double(clock() - processor) / Double(CLOCKS_PER_SEC)
  }

  func figures(_ name: String, of count: Int) -> [String: Double] {
    [
      "\(name)_per_second": Double(count) / seconds,
      "\(name)_per_processor_second": Double(count) / processorSeconds,
    ]
  }
}

extension Run {
  /// What the process has in RAM now.
  var residentBytes: Int {
    let fields =
      (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
  }
}
