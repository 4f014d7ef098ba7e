import OnePassCore

/// Shuffles a stream uniformly on disk, in bounded memory.
///
/// Each example is written to a random bucket. Then the buckets are read in sequence, each in a random order. Every
/// order of the whole is equally likely: given the sizes of the buckets, their contents are a uniform partition.
/// Memory: the positions of one bucket, 16 bytes per example.
final class SpillBuckets: ShuffledImages {
  private(set) var count = 0
  private let seed: UInt64
  private var buckets: [Bucket] = []
  /// The remaining records of the current bucket, in reverse order of delivery.
  private var records: [Record] = []
  private var current = -1

  private struct Record {
    let offset: Int
    let size: UInt32
    let label: Int32
  }

  /// A temporary file of records: label and size (4 bytes each), then the image's bytes.
  private struct Bucket {
    let file: OpenFile
    var unwritten: [UInt8] = []
    var size = 0
  }

  private static let headerSize = 8
  private static let bufferSize = 1 << 16
  /// Below macOS's limit of 256 open files, and enough that a bucket of a large data set fits into the system's file
  /// cache.
  static let usualBucketCount = 128

  /// Reads the whole source.
  /// - Parameter checkStop: Called before each example.
  /// - Throws: `OnePassError`: `io` if the disk is full, `badData` if a label is negative; errors of the source and of
  ///   `checkStop`.
  init(
    taking source: any ExampleSource, seed: UInt64, bucketCount: Int = usualBucketCount,
    checkStop: () throws -> Void = {}
  ) throws {
    self.seed = seed
    let directory = temporaryDirectory
    buckets = try (0..<bucketCount).map { _ in Bucket(file: try .temporary(in: directory)) }
    while let example = try source.next() {
      try checkStop()
      var generator = SeededGenerator(seed: seed, .streamOrder, example.id, PackingDraw.bucket)
      try append(example, to: generator.next(below: bucketCount))
      count += 1
    }
    for index in buckets.indices { try flush(index) }
  }

  func next() throws -> (label: Int, file: [UInt8]) {
    while records.isEmpty {
      current += 1
      records = try shuffledRecords(of: current)
    }
    let record = records.removeLast()
    return (Int(record.label), try buckets[current].file.bytes(at: record.offset, count: Int(record.size)))
  }

  private func append(_ example: Example, to index: Int) throws {
    let file = try encodedFile(example.image)
    guard example.label >= 0 else {
      throw OnePassError.negativeLabel(example.label, example: example.id)
    }
    guard let size = UInt32(exactly: file.count), let label = Int32(exactly: example.label) else {
      throw OnePassError.labelExceedsShard(example.label, example: example.id)
    }
    withUnsafeBytes(of: (label.littleEndian, size.littleEndian)) {
      buckets[index].unwritten.append(contentsOf: $0)
    }
    buckets[index].size += Self.headerSize + file.count
    if buckets[index].unwritten.count + file.count > Self.bufferSize {
      try flush(index)
      try file.withUnsafeBytes { try buckets[index].file.write($0) }
    } else {
      buckets[index].unwritten.append(contentsOf: file)
    }
  }

  private func flush(_ index: Int) throws {
    try buckets[index].unwritten.withUnsafeBytes { try buckets[index].file.write($0) }
    buckets[index].unwritten.removeAll(keepingCapacity: true)
  }

  private func shuffledRecords(of index: Int) throws -> [Record] {
    var found: [Record] = []
    var offset = 0
    while offset < buckets[index].size {
      let header = try buckets[index].file.bytes(at: offset, count: Self.headerSize)
      let (label, size) = header.withUnsafeBytes {
        ($0.load(as: Int32.self), $0.load(fromByteOffset: 4, as: UInt32.self))
      }
      let record = Record(
        offset: offset + Self.headerSize, size: UInt32(littleEndian: size), label: Int32(littleEndian: label))
      found.append(record)
      offset = record.offset + Int(record.size)
    }
    var generator = SeededGenerator(seed: seed, .streamOrder, index, PackingDraw.bucketOrder)
    return randomOrder(of: found.count, using: &generator).map { found[Int($0)] }
  }
}
