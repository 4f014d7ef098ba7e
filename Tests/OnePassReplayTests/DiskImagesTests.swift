import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

/// A replay memory with images on disk: its choices, the size of its files, and its return to checkpoints.
@Suite("A replay memory on disk") struct DiskImagesTests {
  let folder: TemporaryFolder
  var directory: String { folder.file("memory") }

  init() throws { folder = try TemporaryFolder() }

  func makeMemory(
    _ capacity: ReplayMemory.Capacity, _ directory: String? = nil, imageBytes: Int = 1_000, run: String = "a"
  ) throws -> ReplayMemory {
    let images = try directory.map {
      try DiskImages(creating: $0, run: run, capacity: capacity, imageBytes: imageBytes)
    }
    return ReplayMemory(capacity: capacity, seed: 5, store: images)
  }

  /// Draws and offers a few examples. Returns the drawn ones.
  @discardableResult
  func advance(_ memory: inout ReplayMemory, step: Int, bytes: (Int) -> Int = { 500 + $0 * 37 % 1_500 })
    throws
    -> [EncodedImage]
  {
    let drawn = try memory.draw(8, step: step, batch: 0)
    for id in step * 10..<step * 10 + 10 {
      try memory.offer(.synthetic(id, bytes: bytes(id)), loss: Float(id % 7), priority: Float(id % 5 + 1))
    }
    return drawn.map(\.example.image)
  }

  @Test("A memory on disk makes the same choices as one in RAM")
  func itChoosesAndReturnsTheSameAsAMemoryInRAM() throws {
    var inRAM = try makeMemory(.examples(50))
    var onDisk = try makeMemory(.examples(50), directory)
    for step in 0..<60 {
      #expect(try advance(&inRAM, step: step) == advance(&onDisk, step: step))
    }
    onDisk.checkInvariants()
    #expect(Array(inRAM.items) == Array(onDisk.items))
    #expect(inRAM.counters.evictions == onDisk.counters.evictions && inRAM.counters.evictions > 50)
  }

  /// At any time, the size of the files is within the counted size, and that within the capacity. The capacity is also used.
  @Test(
    "The files never exceed a capacity in bytes",
    arguments: [(400_000, 200), (400_000, 2_000), (4_000_000, 20_000), (40_000_000, 110_000)])
  func theFilesKeepABudgetInBytes(limit: Int, imageBytes: Int) throws {
    var memory = try makeMemory(.bytes(limit), directory, imageBytes: imageBytes)
    var chance = SeededGenerator(seed: 1, .reservoir, imageBytes)
    var (mostCounted, mostOnDisk) = (0, 0)
    for id in 0..<3 * limit / imageBytes {
      let bytes = imageBytes / 2 + Int(chance.nextUnit() * Double(imageBytes))
      try memory.offer(.synthetic(id, bytes: bytes), loss: 1, priority: 1)
      let onDisk = try #require(try memory.diskImages?.bytesOnDisk)
      let index = memory.count * memory.indexBytesPerItem
      // Free pages stay in the file, so that its size is that of the maximum so far.
      guard onDisk + index <= memory.counters.peakBytes, memory.counters.peakBytes <= limit else {
        Issue.record(
          "\(onDisk) on disk, \(index) of index, \(memory.counters.peakBytes) counted, limit \(limit)")
        return
      }
      (mostCounted, mostOnDisk) = (max(mostCounted, memory.counters.bytes), max(mostOnDisk, onDisk + index))
    }
    memory.checkInvariants()
    #expect(memory.counters.evictions > 0)
    #expect(Double(mostCounted) > 0.9 * Double(limit))
    // The log, an eighth of the capacity, is not always full. The pages are.
    #expect(Double(mostOnDisk) > 0.8 * Double(mostCounted))
  }

  /// The files are ahead of the last checkpoint. After a crash they return to it, and continue with the same choices.
  @Test(
    "After a crash it returns to the last checkpoint", arguments: [0, 1, 7, 40],
    [ReplayMemory.Capacity.examples(50), .bytes(120_000)])
  func afterACrashItGoesBackToTheCheckpoint(stepsAhead: Int, capacity: ReplayMemory.Capacity) throws {
    let checkpoint: MemorySnapshot
    do {
      var memory = try makeMemory(capacity, directory)
      for step in 0..<20 { try advance(&memory, step: step) }
      let images = try #require(memory.diskImages)
      try images.makeDurable()
      checkpoint = memory.snapshot
      images.protect(
        Set(checkpoint.items.map(\.id)),
        in: try ImageArchive(folder: folder.file("rescued"), imageBytes: 1_000))
      for step in 20..<20 + stepsAhead { try advance(&memory, step: step) }
      // Uncommitted changes are lost here, as in a crash.
    }
    for attempt in 0..<2 {
      let images = try DiskImages(opening: directory, run: "a")
      let rescued = try ImageArchive(folder: folder.file("rescued"), imageBytes: 1_000)
      if stepsAhead == 40 { #expect(try rescued.count > 10) }
      images.protect(Set(checkpoint.items.map(\.id)), in: rescued)
      try images.restore(Set(checkpoint.items.map(\.id)), position: 200)
      var memory = ReplayMemory(capacity: capacity, seed: 5, store: images)
      try memory.restore(checkpoint, image: nil)
      memory.checkInvariants()
      #expect(try images.bytesOnDisk + memory.count * memory.indexBytesPerItem <= memory.counters.peakBytes)

      try FileManager.default.createDirectory(atPath: folder.file("whole"), withIntermediateDirectories: true)
      var whole = try makeMemory(capacity, folder.file("whole/\(attempt)"))
      for step in 0..<20 { try advance(&whole, step: step) }
      for step in 20..<50 {
        #expect(try advance(&memory, step: step) == advance(&whole, step: step))
      }
      #expect(memory.snapshot == whole.snapshot)
    }
  }

  @Test("A memory directory belongs to one run")
  func aDirectoryBelongsToOneRun() throws {
    do {
      var memory = try makeMemory(.examples(50), directory)
      try advance(&memory, step: 0)
      #expect { try DiskImages(opening: directory, run: "a") } throws: {
        "\($0)".contains("in use by another process")
      }
    }
    #expect { try makeMemory(.examples(50), directory) } throws: {
      "\($0)".contains("already contains the memory of a run; continue with --resume")
    }
    #expect { try DiskImages(opening: directory, run: "b") } throws: {
      "\($0)".contains("belongs to another run")
    }
    #expect { try DiskImages(opening: folder.file("nowhere"), run: "a") } throws: {
      "\($0)".contains("contains no memory")
    }
    DiskImages.remove(in: directory)
    #expect(folder.contents.isEmpty)
  }

  @Test("A directory that disappears is detected")
  func aFolderThatVanishesIsNoticed() throws {
    var memory = try makeMemory(.examples(50), directory)
    for step in 0..<20 { try advance(&memory, step: step) }
    try FileManager.default.moveItem(atPath: directory, toPath: folder.file("elsewhere"))
    let images = try #require(memory.diskImages)
    #expect { try images.makeDurable() } throws: { "\($0)".contains("has vanished") }
  }

  /// After `makeDurable`, no file contains an evicted or forgotten image.
  @Test("Evicted and forgotten images are in no file")
  func whatIsForgottenIsNowhereInTheFiles() throws {
    var memory = try makeMemory(.examples(100), directory)
    for id in 0..<60 {
      let bytes = Array(String(repeating: "face of \(1_000 + id); ", count: 100).utf8)
      try memory.offer(
        Example(id: id, label: id % 3, image: EncodedImage(bytes: bytes)), loss: 1, priority: 1)
    }
    try memory.diskImages?.makeDurable()
    func traces(of id: Int) throws -> Int {
      try folder.occurrences(of: "face of \(1_000 + id); ")
    }
    // A few are split by page boundaries.
    #expect(try traces(of: 7) > 90)
    let gone = try memory.forget { $0.id == 7 || $0.label == 2 }
    try memory.diskImages?.makeDurable()
    #expect(Set(gone.map(\.id)) == Set([7] + stride(from: 2, to: 60, by: 3)))
    for id in 0..<60 { #expect(try (traces(of: id) == 0) == (id == 7 || id % 3 == 2)) }
    memory.checkInvariants()
    #expect(memory.counters.forgotten == 21 && memory.count == 39)
  }
}

extension ReplayMemory {
  /// The images of a memory with a store on disk.
  fileprivate var diskImages: DiskImages? { store as? DiskImages }
}
