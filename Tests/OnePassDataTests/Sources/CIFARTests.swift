import Foundation
import OnePassCore
import OnePassData
import Testing

/// The folder of the shared data; `nil` if it is absent.
private let sharedData: String? = {
  let named = ProcessInfo.processInfo.environment["ONEPASS_SHARED_DATA"]
  let beside =
    URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/") + "/../shared/data"
  return [named, beside].compactMap { $0 }.first {
    FileManager.default.fileExists(atPath: "\($0)/cifar10-train.tar.zst")
  }
}()

@Suite("CIFAR-10 as shards", .enabled(if: sharedData != nil, "the CIFAR-10 shards are not in ../shared/data"))
struct CIFARTests {
  @Test("Every image is delivered once", arguments: [("test", 10_000), ("train", 50_000)])
  func everyImageArrivesOnce(part: String, count: Int) throws {
    let source = try WebDatasetSource("\(sharedData ?? "")/cifar10-\(part).tar.zst")
    var labels = [Int](repeating: 0, count: 10)
    while let example = try source.next() {
      labels[example.label] += 1
      if example.image.bytes.first != 0xFF { Issue.record("\(example.id) is not a JPEG") }
    }
    #expect(source.position == count)
    #expect(labels == [Int](repeating: count / 10, count: 10))
  }
}
