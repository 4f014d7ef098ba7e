import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassReplay

@Suite("An encrypted memory on disk") struct EncryptedMemoryTests {
  let folder: TemporaryFolder
  var directory: String { folder.file("memory") }

  init() throws { folder = try TemporaryFolder() }

  func keys(_ name: String = "keys") throws -> MemoryKeys {
    try MemoryKeys(file: folder.file(name), creating: true)
  }

  func example(_ id: Int) -> Example {
    Example(
      id: id, label: id % 3, image: EncodedImage(bytes: noise(id, count: 900 + id * 31 % 1_000)),
      subject: id % 4 == 0 ? nil : "person \(id % 4)")
  }

  func makeMemory(
    _ directory: String, _ keys: MemoryKeys?, capacity: ReplayMemory.Capacity = .examples(40)
  ) throws -> (ReplayMemory, DiskImages) {
    let images = try DiskImages(
      creating: directory, run: "a", capacity: capacity, imageBytes: 1_000, keys: keys)
    return (ReplayMemory(capacity: capacity, seed: 5, store: images), images)
  }

  func expectError(_ code: OnePassError.Code, naming part: String, _ body: () throws -> Void) {
    #expect {
      try body()
    } throws: { error in
      (error as? OnePassError)?.code == code && "\(error)".contains(part)
    }
  }

  /// All bytes of the files in a folder.
  func bytes(in folder: String) throws -> Data {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted().reduce(into: Data()) {
      $0 += try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($1)"))
    }
  }

  @Test("It makes the same choices as one that is not encrypted, and no image is in its files")
  func itIsTheSameMemory() throws {
    var (plain, plainImages) = try makeMemory(folder.file("plain"), nil)
    var (secret, secretImages) = try makeMemory(directory, keys())
    for id in 0..<300 {
      try plain.offer(example(id), loss: 1, priority: Float(id % 5 + 1))
      try secret.offer(example(id), loss: 1, priority: Float(id % 5 + 1))
      if id % 50 == 49 {
        let (one, other) = (try plain.draw(8, step: id, batch: 0), try secret.draw(8, step: id, batch: 0))
        #expect(one.map(\.example.image.bytes) == other.map(\.example.image.bytes))
      }
    }
    // Before and after the log is emptied.
    for isDurable in [false, true] {
      for images in isDurable ? [plainImages, secretImages] : [] { try images.makeDurable() }
      let (open, sealed) = (try bytes(in: folder.file("plain")), try bytes(in: directory))
      var found = 0
      for item in plain.items {
        let part = Data(example(item.id).image.bytes.prefix(32))
        if open.range(of: part) != nil { found += 1 }
        #expect(sealed.range(of: part) == nil)
      }
      if isDurable { #expect(found == 40) }
    }
  }

  @Test("A capacity in bytes counts what encryption adds", arguments: [(100_000, 200), (1_000_000, 20_000)])
  func itKeepsABudget(limit: Int, imageBytes: Int) throws {
    let images = try DiskImages(
      creating: directory, run: "a", capacity: .bytes(limit), imageBytes: imageBytes, keys: keys())
    var memory = ReplayMemory(capacity: .bytes(limit), seed: 5, store: images)
    for id in 0..<4 * limit / imageBytes {
      try memory.offer(.synthetic(id, bytes: imageBytes + id * 7 % imageBytes), loss: 1, priority: 1)
      let onDisk = try images.bytesOnDisk + memory.count * memory.indexBytesPerItem
      #expect(onDisk <= memory.counters.peakBytes && memory.counters.peakBytes <= limit)
    }
    #expect(memory.counters.evictions > 0)
    // 480 of 512 bytes and 32 more do not fit into the page that suffices without encryption.
    let plain = DiskImages.bytes(forImageOf: 440, amongImagesOf: 200)
    #expect(DiskImages.bytes(forImageOf: 440, amongImagesOf: 200, encrypted: true) > plain)
    #expect(images.bytes(forImageOf: 440) >= plain)
  }

  @Test("It is opened with its own keys only; without them it can be erased, not read")
  func wrongKeys() throws {
    do {
      var (memory, images) = try makeMemory(directory, keys())
      for id in 0..<20 { try memory.offer(example(id), loss: 1, priority: 1) }
      try images.makeDurable()
    }
    let other = try keys("other")
    expectError(.usage, naming: "encrypted with another key file than \(folder.file("other"))") {
      _ = try DiskImages(opening: directory, run: "a", keys: other)
    }
    expectError(.usage, naming: "encrypted with another key file") {
      _ = try ImageArchive(reading: directory, keys: other)
    }
    do {
      let locked = try DiskImages(opening: directory, run: "a")
      expectError(.usage, naming: "pass their key file with --memory-key") { _ = try locked.image(id: 3) }
      expectError(.usage, naming: "pass their key file with --memory-key") {
        try locked.insert(example(50).image, id: 50, subject: nil)
      }
      try locked.scrub([3])
    }
    let images = try DiskImages(opening: directory, run: "a", keys: keys())
    #expect(try images.image(id: 4).bytes == example(4).image.bytes)
    expectError(.badData, naming: "has no image of example 3") { _ = try images.image(id: 3) }

    do {
      var (memory, images) = try makeMemory(folder.file("plain"), nil)
      try memory.offer(example(0), loss: 1, priority: 1)
      try images.makeDurable()
    }
    expectError(.usage, naming: "--memory-key is not possible, because the images in") {
      _ = try DiskImages(opening: folder.file("plain"), run: "a", keys: other)
    }
  }

  /// Images of checkpoints move between archives as they are stored, whatever their keys.
  @Test("After a crash it returns to its checkpoint, without the images of destroyed keys")
  func checkpoints() throws {
    let all = try keys()
    var (memory, images) = try makeMemory(directory, all)
    for id in 0..<60 { try memory.offer(example(id), loss: 1, priority: 1) }
    try images.makeDurable()
    let saved = memory.snapshot
    let ids = Set(saved.items.map(\.id))
    let rescued = try ImageArchive(folder: folder.file("unfinished"), imageBytes: 1_000, keys: all)
    images.protect(ids, in: rescued)
    for id in 60..<200 { try memory.offer(example(id), loss: 1, priority: 1) }
    try images.makeDurable()
    #expect(try rescued.count > 10)
    try all.destroy(subjects: ["person 2"])

    try images.restore(ids, position: 60)
    for item in saved.items {
      let isGone = item.subject == "person 2"
      #expect(images.isForgotten(id: item.id) == isGone)
      if isGone {
        expectError(.badData, naming: "was destroyed") { _ = try images.image(id: item.id) }
      } else {
        #expect(try images.image(id: item.id).bytes == example(item.id).image.bytes)
      }
    }
    #expect(saved.items.contains { $0.subject == "person 2" })
  }
}
