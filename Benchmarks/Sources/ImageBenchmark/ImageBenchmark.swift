import BareDecode
import Foundation
import OnePassCore
import OnePassData

/// Measures the path from encoded images to augmented batches with the same work as `peers/images.py`, and
/// prints a JSON record for each case.
///
///     ImageBenchmark CASE TAR [SECONDS] [THREADS]
///
/// - `photos`: resize to 250, crop 224; `small`: pad by 4, crop at the size of the first image. Flip, normalise.
///   `photos:rand`, `small:rand,cut-out`: the same with an augmentation at full strength.
/// - `replay-resized`: the images of a run with k = 8 and a memory of resized JPEGs.
/// - `decode`: files of any format to RGB, by as many decoders as threads.
/// - `bare`: decoding by libjpeg-turbo alone, the upper bound. `tar`: reading WebDataset samples.
@main struct ImageBenchmark {
  static let batch = 128

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3 else {
      print(
        "usage: ImageBenchmark photos[:AUGMENTATION]|small[:AUGMENTATION]|replay-resized|decode|bare|tar TAR [SECONDS] [THREADS]"
      )
      exit(2)
    }
    let (name, path) = (arguments[1], arguments[2])
    let seconds = arguments.count > 3 ? Double(arguments[3]) ?? 3 : 3
    let threads = arguments.count > 4 ? Int(arguments[4]) ?? 1 : 1
    let work: () throws -> Int
    switch name {
    case "tar": work = { try readSamples(path) }
    case "decode":
      let images = try TarImages.read(path, areJPEG: false)
      let pools = (0..<threads).map { _ in DecodeLoop(images) }
      work = { try DecodeLoop.pass(of: pools) }
    case "bare":
      let images = try TarImages.read(path)
      work = { images.reduce(0) { $0 + (bare_decode($1.bytes, $1.bytes.count) > 0 ? 1 : 0) } }
    default:
      let images = try TarImages.read(path)
      guard let first = images.first else { throw OnePassError(.usage, "\(path): contains no JPEG file.") }
      let pipeline = try ImagePipeline.automatic(
        typicalImage: ImageHeader.read(first), size: name.hasPrefix("small") ? nil : 224)
      let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
      let choice = try parts.count > 1 ? AugmentationChoice(parts[1]) : .standard
      let stream = ImageStream(
        images, pipeline: pipeline, augmentation: Augmentation(choice, growth: 0), threads: threads)
      switch parts[0] {
      case "photos", "small": work = { try stream.pass() }
      case "replay-resized": work = { try stream.replayPass() }
      default: throw OnePassError(.usage, "Unknown case '\(name)'.")
      }
    }
    // Warms up the caches and the page tables.
    _ = try work()
    var images = 0
    let (cpu, wall) = (clock(CLOCK_PROCESS_CPUTIME_ID), clock(CLOCK_MONOTONIC))
    while clock(CLOCK_MONOTONIC) - wall < seconds { images += try work() }
    let record: [String: Any] = [
      "case": name, "program": "onepass", "threads": threads, "images": images,
      "images_per_second": Double(images) / (clock(CLOCK_MONOTONIC) - wall),
      "images_per_cpu_second": Double(images) / (clock(CLOCK_PROCESS_CPUTIME_ID) - cpu),
    ]
    let json = try JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
    print(String(decoding: json, as: UTF8.self))
  }

  static func clock(_ kind: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(kind, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static func readSamples(_ path: String) throws -> Int {
    let source = try SourceRegistry.open("wds:\(path)", seed: 1)
    var samples = 0
    while try source.next() != nil { samples += 1 }
    return samples
  }
}
