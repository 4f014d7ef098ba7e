import Foundation
import OnePassCore
import OnePassReplay
import OnePassTorch

/// Passes a stream of ImageNet's length through a memory of 10 % at full size: the bytes of items are not
/// shared.
///
///     FullSizeMemory FOLDER [EXAMPLES] [ITEMS] [MEMORY DIRECTORY]
///
/// FOLDER contains JPEG files, also in class folders; the stream repeats them. With a memory directory the
/// images are stored on disk. The size of the files is then compared with the budget after every mini-batch,
/// and the memory is reopened at the end. Prints one JSON record: the items held, the counted bytes, the peak
/// resident memory, and the rates of one thread per second of wall time and of processor time.
@main struct FullSizeMemory {
  static let batch = 128

  static func main() throws {
    Engine.keepFreedMemory()
    let arguments = CommandLine.arguments
    let numbers = arguments.dropFirst(2).compactMap { Int($0) }
    let examples = numbers.first ?? 1_281_167
    let items = numbers.dropFirst().first ?? examples / 10
    let directory = arguments.count > 4 ? arguments[4] : nil
    let files = FileManager.default.enumerator(atPath: arguments.count > 1 ? arguments[1] : ".")
    let images = (files?.compactMap { $0 as? String } ?? []).sorted()
      .filter { $0.lowercased().hasSuffix(".jpeg") || $0.lowercased().hasSuffix(".jpg") }
      .compactMap { FileManager.default.contents(atPath: "\(arguments[1])/\($0)").map { [UInt8]($0) } }
    guard !images.isEmpty else {
      print("usage: FullSizeMemory FOLDER [EXAMPLES] [ITEMS] [MEMORY DIRECTORY]; FOLDER contains JPEG files")
      exit(64)
    }
    let mean = images.reduce(0) { $0 + $1.count } / images.count
    var record: [String: Any] = ["examples": examples, "mean_bytes_of_an_image": mean]

    let capacity = ReplayMemory.Capacity.examples(items)
    let snapshot = try use(images, examples: examples, capacity, directory, in: &record)
    if let directory { record["seconds_to_open"] = try reopen(directory, capacity, snapshot) }
    let data = try JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
    print(String(decoding: data, as: UTF8.self))
  }

  /// Fills a memory and draws from it; returns a snapshot of its items.
  static func use(
    _ images: [[UInt8]], examples: Int, _ capacity: ReplayMemory.Capacity, _ directory: String?,
    in record: inout [String: Any]
  ) throws -> MemorySnapshot {
    let mean = images.reduce(0) { $0 + $1.count } / images.count
    let onDisk = try directory.map {
      try DiskImages(creating: $0, run: "benchmark", capacity: capacity, imageBytes: mean)
    }
    var memory = ReplayMemory(capacity: capacity, seed: 1, store: onDisk)
    var (checks, mostOnDisk) = (0, 0)
    try measure("offers", examples, in: &record) {
      for id in 0..<examples {
        // As from a source: bytes without other references.
        let image = EncodedImage(bytes: copy(of: images[id % images.count]))
        try memory.offer(Example(id: id, label: id % 1_000, image: image), loss: 1, priority: 0.5)
        guard let onDisk, id % batch == 0 else { continue }
        let bytes = try onDisk.bytesOnDisk
        precondition(
          bytes + memory.count * memory.indexBytesPerItem <= memory.counters.peakBytes,
          "The files are larger than the counted bytes.")
        (checks, mostOnDisk) = (checks + 1, max(mostOnDisk, bytes))
      }
      try onDisk?.makeDurable()
    }
    var bytes = 0
    for (name, steps) in [("first_draws", 200), ("draws", 2_000)] {
      try measure(name, steps * batch, in: &record) {
        for step in 0..<steps {
          for drawn in try memory.draw(batch, step: step, batch: 0) {
            bytes &+= drawn.example.image.byteCount
          }
        }
      }
    }
    let facts: [String: Any] = [
      "items": memory.count, "bytes_counted": memory.counters.peakBytes,
      "index_bytes_of_an_item": memory.indexBytesPerItem, "insertions": memory.counters.insertions,
      "peak_resident_bytes": peakResidentBytes, "mean_bytes_of_a_draw": bytes / (2_200 * batch),
      "most_bytes_on_disk": mostOnDisk, "budget_checks": checks,
    ]
    record.merge(facts) { $1 }
    return memory.snapshot
  }

  /// The seconds until a memory on disk is ready for draws.
  static func reopen(
    _ directory: String, _ capacity: ReplayMemory.Capacity, _ snapshot: MemorySnapshot
  ) throws -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    let images = try DiskImages(opening: directory, run: "benchmark")
    try images.restore(Set(snapshot.items.map(\.id)), position: snapshot.counters.examplesSeen)
    var memory = ReplayMemory(capacity: capacity, seed: 1, store: images)
    try memory.restore(snapshot, image: nil)
    let drawn = try memory.draw(batch, step: 0, batch: 0)
    precondition(drawn.count == batch, "It can be drawn from.")
    return (clock.now - start) / .seconds(1)
  }

  /// Rates per second of wall time and of processor time.
  static func measure(
    _ name: String, _ count: Int, in record: inout [String: Any], _ body: () throws -> Void
  ) throws {
    let clock = ContinuousClock()
    let before = processorSeconds
    let seconds = try clock.measure(body) / .seconds(1)
    record["\(name)_per_second"] = Double(count) / seconds
    record["\(name)_per_processor_second"] = Double(count) / (processorSeconds - before)
  }

  static func copy(of bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
      _ = target.initialize(from: bytes)
      count = bytes.count
    }
  }

  static var processorSeconds: Double {
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  static var peakResidentBytes: Int {
    #if canImport(Darwin)
      usage.ru_maxrss
    #else
      usage.ru_maxrss * 1_024
    #endif
  }

  private static var usage: rusage {
    var usage = rusage()
    #if canImport(Darwin)
      getrusage(RUSAGE_SELF, &usage)
    #else
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #endif
    return usage
  }
}
