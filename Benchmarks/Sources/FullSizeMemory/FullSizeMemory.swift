import Foundation
import OnePassCore
import OnePassReplay

/// Takes a stream of ImageNet's length through a memory of 10 % of it, at full size: every item has its own bytes.
///
///     FullSizeMemory FOLDER [EXAMPLES] [ITEMS]
///
/// FOLDER holds JPEG files, also in folders of classes; the stream repeats them. Prints one JSON record: what was held,
/// what the memory counted, the peak of resident memory, and rates on one core.
@main struct FullSizeMemory {
  static func main() {
    let arguments = CommandLine.arguments
    let numbers = arguments.dropFirst(2).compactMap { Int($0) }
    let examples = numbers.first ?? 1_281_167
    let items = numbers.dropFirst().first ?? examples / 10
    let files = FileManager.default.enumerator(atPath: arguments.count > 1 ? arguments[1] : ".")
    let images = (files?.compactMap { $0 as? String } ?? []).sorted()
      .filter { $0.lowercased().hasSuffix(".jpeg") || $0.lowercased().hasSuffix(".jpg") }
      .compactMap { FileManager.default.contents(atPath: "\(arguments[1])/\($0)").map { [UInt8]($0) } }
    guard !images.isEmpty else {
      print("usage: FullSizeMemory FOLDER [EXAMPLES] [ITEMS]; FOLDER holds JPEG files")
      exit(64)
    }

    var memory = ReplayMemory(capacity: .examples(items), seed: 1)
    let clock = ContinuousClock()
    let filling = clock.measure {
      for id in 0..<examples {
        // As a source delivers it: bytes that nobody else holds.
        let image = EncodedImage(bytes: copy(of: images[id % images.count]))
        memory.offer(Example(id: id, label: id % 1_000, image: image), loss: 1, priority: 0.5)
      }
    }
    let steps = 2_000
    var bytes = 0
    let drawing = clock.measure {
      for step in 0..<steps {
        for drawn in memory.draw(128, step: step, batch: 0) { bytes &+= drawn.example.image.bytes.count }
      }
    }
    let record: [String: Any] = [
      "examples": examples, "items": memory.count, "bytes_held": memory.counters.bytes,
      "mean_bytes_of_an_image": images.reduce(0) { $0 + $1.count } / images.count,
      "index_bytes_of_an_item": memory.indexBytesPerItem, "insertions": memory.counters.insertions,
      "peak_resident_bytes": peakResidentBytes,
      "offers_per_second": Double(examples) / (filling / .seconds(1)),
      "draws_per_second": Double(steps * 128) / (drawing / .seconds(1)),
      "mean_bytes_of_a_draw": bytes / (steps * 128),
    ]
    let data = try? JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
    print(String(decoding: data ?? Data(), as: UTF8.self))
  }

  static func copy(of bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: bytes.count) { target, count in
      _ = target.initialize(from: bytes)
      count = bytes.count
    }
  }

  static var peakResidentBytes: Int {
    var usage = rusage()
    #if canImport(Darwin)
      return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0
    #else
      return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss * 1_024 : 0
    #endif
  }
}
