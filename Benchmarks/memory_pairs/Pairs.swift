import Foundation
import OnePassCore

/// What is timed of a replay memory.
protocol MemoryWork {
  init(items: Int, image: EncodedImage, firstLabel: Int, recencyBias: Double) throws
  var indexBytesPerItem: Int { get }
  var countedBytesPerItem: Int { get }
  mutating func offer(batches: Int) throws
  mutating func draw(batches: Int) throws -> Int
  mutating func prepareUpdate(batches: Int) throws
  mutating func update()
  mutating func endUpdate()
  func snapshotItems() -> Int
}

/// Times two builds of the replay memory in one process, in turn, some milliseconds each, by the process's own time.
///
///     Pairs ITEMS FILE-BYTES FIRST-LABEL SIDE PAIRS
///
/// With a side that is not 0, images are bare pixels in three channels.
@main struct Pairs {
  let (items, firstLabel, pairs): (Int, Int, Int)
  let image: EncodedImage

  static func main() throws {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    guard numbers.count == 5 else { return print("Pairs ITEMS FILE-BYTES FIRST-LABEL SIDE PAIRS") }
    let side = numbers[3]
    let bytes = [UInt8](repeating: 7, count: side > 0 ? 3 * side * side : numbers[1])
    let image = EncodedImage(
      bytes: bytes, encoding: side > 0 ? .pixels(width: side, height: side, channels: 3) : .file)
    let all = Pairs(items: numbers[0], firstLabel: numbers[2], pairs: numbers[4], image: image)
    try all.timeTraining()
    try all.timeInserts()
  }

  init(items: Int, firstLabel: Int, pairs: Int, image: EncodedImage) {
    (self.items, self.firstLabel, self.pairs, self.image) = (items, firstLabel, pairs, image)
  }

  private func filled<Memory: MemoryWork>(_: Memory.Type, recencyBias: Double) throws -> Memory {
    try Memory(items: items, image: image, firstLabel: firstLabel, recencyBias: recencyBias)
  }

  private func timeTraining() throws {
    let start = Self.residentBytes
    var before = try filled(BeforeMemory.self, recencyBias: 1.5)
    let middle = Self.residentBytes
    var after = try filled(AfterMemory.self, recencyBias: 1.5)
    let end = Self.residentBytes
    print("index, bytes an item: before \(before.indexBytesPerItem), after \(after.indexBytesPerItem)")
    print(
      "counted beyond the image: before \(before.countedBytesPerItem), after \(after.countedBytesPerItem)")
    print(
      "resident beyond the image: before \((middle - start) / items - image.byteCount), "
        + "after \((end - middle) / items - image.byteCount)")
    var sum = 0
    try report("draw of 128", each: 1_000, pairs) {
      sum &+= try before.draw(batches: 1_000)
    } _: {
      sum &+= try after.draw(batches: 1_000)
    }
    var times: [(Double, Double)] = []
    for _ in 0..<pairs {
      try before.prepareUpdate(batches: 256)
      try after.prepareUpdate(batches: 256)
      times.append((Self.time { before.update() }, Self.time { after.update() }))
      before.endUpdate()
      after.endUpdate()
    }
    Self.report("update of a priority", each: 256 * 128, times)
    try report("snapshot, per item", each: items, max(5, pairs / 10)) {
      sum &+= before.snapshotItems()
    } _: {
      sum &+= after.snapshotItems()
    }
    try report("offer, a third inserted", each: 2_000 * 128, max(5, pairs / 2)) {
      try before.offer(batches: 2_000)
    } _: {
      try after.offer(batches: 2_000)
    }
    precondition(sum != 0, "The draws are used.")
  }

  private func timeInserts() throws {
    var before = try filled(BeforeMemory.self, recencyBias: 1e18)
    var after = try filled(AfterMemory.self, recencyBias: 1e18)
    try report("insert with eviction", each: 500 * 128, pairs) {
      try before.offer(batches: 500)
    } _: {
      try after.offer(batches: 500)
    }
  }

  // MARK: Times

  /// The order alternates from pair to pair.
  private func report(
    _ name: String, each: Int, _ count: Int, _ before: () throws -> Void, _ after: () throws -> Void
  ) throws {
    var times: [(Double, Double)] = []
    for pair in 0..<count {
      if pair % 2 == 0 {
        let first = try Self.time(before)
        times.append((first, try Self.time(after)))
      } else {
        let first = try Self.time(after)
        times.append((try Self.time(before), first))
      }
    }
    Self.report(name, each: each, times)
  }

  private static func report(_ name: String, each: Int, _ times: [(before: Double, after: Double)]) {
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let ratios = times.map { $0.after / $0.before }.sorted()
    let (before, after) = (median(times.map(\.before)), median(times.map(\.after)))
    let line = String(
      format: "%.0f ns before, %.0f ns after; after / before %.2f, quartiles %.2f to %.2f, %.2f to %.2f",
      before / Double(each) * 1e9, after / Double(each) * 1e9, median(ratios), ratios[ratios.count / 4],
      ratios[ratios.count * 3 / 4], ratios[0], ratios[ratios.count - 1])
    print("\(name): \(line) (n = \(ratios.count))")
  }

  private static func time(_ body: () throws -> Void) rethrows -> Double {
    let start = clock()
    try body()
    return Double(clock() - start) / Double(CLOCKS_PER_SEC)
  }

  private static var residentBytes: Int {
    let fields =
      (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
  }
}
