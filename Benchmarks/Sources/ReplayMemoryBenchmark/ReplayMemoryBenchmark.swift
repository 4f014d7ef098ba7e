import Foundation
import OnePassCore
import OnePassReplay

/// Measures the replay memory with the same work as `peers/replay_memory.py`, and prints a JSON record for
/// each regime.
///
///     ReplayMemoryBenchmark [ITEMS] [PAYLOAD BYTES] [REPEATS] [REGIMES] [FIRST LABEL] [SIDE]
///
/// The memory is filled with payloads without other references, as from a source. Rates are per second of
/// wall time and of the process's processor time. With a side, images are raw pixels in three channels instead of files.
@main struct ReplayMemoryBenchmark {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let items = arguments.first ?? 128_000
    let payload = arguments.dropFirst().first ?? 2_048
    let repeats = arguments.dropFirst(2).first ?? 5
    let firstLabel = arguments.dropFirst(4).first ?? 0
    let side = arguments.dropFirst(5).first

    var isFirst = true
    for (name, priority) in regimes.prefix(arguments.dropFirst(3).first ?? regimes.count) {
      var figures: [String: [Double]] = [:]
      for repetition in 0..<repeats {
        let run = Run(
          items: items, image: side.map(Run.pixels) ?? Run.file(payload), firstLabel: firstLabel,
          seed: UInt64(repetition), priority: priority)
        for (name, figure) in try run.measure() where isFirst || name != Run.residentName {
          figures[name, default: []].append(figure)
        }
        // Later repeats reuse freed memory, so resident memory no longer grows.
        isFirst = false
      }
      var record: [String: Any] = [
        "library": "onepass", "priorities": name, "items": items,
        "payload_bytes": side.map { 3 * $0 * $0 } ?? payload, "first_label": firstLabel,
        "batch_size": Run.batch,
        "repeats": repeats,
      ]
      for (name, values) in figures { record[name] = values.sorted()[values.count / 2] }
      let data = try JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
      print(String(decoding: data, as: UTF8.self))
    }
  }

  /// Priorities over one decade, and P = 1 − α·e^−loss late in a run: α near 1, small losses.
  static let regimes: [(String, @Sendable (inout SeededGenerator) -> Float)] = [
    ("uniform(0.1, 1)", { Float(0.1 + 0.9 * $0.nextUnit()) }),
    ("late in training", { Float(1 - 0.98 * exp(0.05 * log(max($0.nextUnit(), 1e-300)))) }),
  ]
}

/// One repeat: fill, draw, update, take a snapshot, offer a stream of ten times the capacity; fill again and insert with
/// eviction.
struct Run {
  static let batch = 128
  static let draws = 100_000 * batch
  static let updates = 40_000 * batch
  static let residentName = "resident_bytes_per_payload_byte"
  let items: Int
  let image: @Sendable () -> EncodedImage
  let payload: Int
  let firstLabel: Int
  let seed: UInt64
  /// The payloads that are offered repeatedly: enough different ones to exceed the caches.
  let pool: [EncodedImage]
  let priorities: [Float]

  init(
    items: Int, image: @escaping @Sendable () -> EncodedImage, firstLabel: Int, seed: UInt64,
    priority: (inout SeededGenerator) -> Float
  ) {
    (self.items, self.image, self.firstLabel, self.seed) = (items, image, firstLabel, seed)
    payload = image().byteCount
    pool = (0..<256 * Self.batch).map { _ in image() }
    var chance = SeededGenerator(seed: seed, .test)
    priorities = pool.map { _ in priority(&chance) }
  }

  static func file(_ bytes: Int) -> @Sendable () -> EncodedImage {
    { EncodedImage(bytes: Array(repeating: 7, count: bytes)) }
  }

  static func pixels(_ side: Int) -> @Sendable () -> EncodedImage {
    {
      EncodedImage(
        bytes: Array(repeating: 7, count: 3 * side * side),
        encoding: .pixels(width: side, height: side, channels: 3))
    }
  }

  func measure() throws -> [String: Double] {
    var figures: [String: Double] = [:]
    let before = residentBytes
    do {
      var memory = try filled(bias: 1.5)
      figures[Self.residentName] = Double(residentBytes - before) / Double(items * payload)
      figures["index_bytes_per_item"] = Double(memory.indexBytesPerItem)
      let steps = Self.draws / Self.batch
      var (rate, checksum) = (Rate(), 0)
      try rate.time {
        for step in 0..<steps {
          for drawn in try memory.draw(Self.batch, step: step, batch: 0) { checksum &+= drawn.example.id }
        }
      }
      precondition(checksum != 0, "The checksum of the draws is 0.")
      figures.merge(rate.figures("draws", of: steps * Self.batch)) { $1 }
      figures.merge(try update(&memory).figures("updates", of: Self.updates)) { $1 }
      rate = Rate()
      rate.time { checksum = memory.snapshot.items.count }
      figures.merge(rate.figures("snapshot_items", of: checksum)) { $1 }
      // Most of these offers are rejected; the memory below inserts all offers.
      rate = try offer(items..<11 * items, to: &memory)
      figures.merge(rate.figures("offers", of: 10 * items)) { $1 }
    }
    var memory = try filled(bias: .greatestFiniteMagnitude)
    let rate = try offer(items..<2 * items, to: &memory)
    figures.merge(rate.figures("inserts_with_eviction", of: items)) { $1 }
    return figures
  }

  /// New priorities of what was drawn 64 mini-batches before, so that no cache has it since.
  func update(_ memory: inout ReplayMemory) throws -> Rate {
    var (rate, updated) = (Rate(), 0)
    for step in 0..<Self.updates / (64 * Self.batch) {
      let drawn = try (0..<64).flatMap { try memory.draw(Self.batch, step: step, batch: $0) }
      rate.time {
        for item in drawn {
          memory.refresh(item, loss: 2, priority: priorities[updated % priorities.count])
          updated += 1
        }
      }
    }
    return rate
  }

  func filled(bias: Double) throws -> ReplayMemory {
    var memory = ReplayMemory(
      capacity: .examples(items), inclusion: InclusionProbability(recencyBias: bias), seed: seed)
    for id in 0..<items {
      try memory.offer(
        Example(id: id, label: firstLabel + id % 10, image: image()), loss: 1,
        priority: priorities[id % pool.count])
    }
    return memory
  }

  /// Offers a stream in mini-batches, as in training; creating the examples is not included in the time.
  func offer(_ ids: Range<Int>, to memory: inout ReplayMemory) throws -> Rate {
    var rate = Rate()
    for first in stride(from: ids.lowerBound, to: ids.upperBound, by: pool.count) {
      let batches = stride(from: 0, to: min(pool.count, ids.upperBound - first), by: Self.batch).map {
        start in
        (start..<min(start + Self.batch, ids.upperBound - first)).map {
          Example(id: first + $0, label: firstLabel + $0 % 10, image: pool[$0])
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

/// The wall time and the processor time of an operation.
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
  /// The resident memory of the process.
  var residentBytes: Int {
    let fields =
      (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
  }
}
