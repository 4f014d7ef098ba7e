import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass

@Suite("Checkpoints") struct CheckpointTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Whatever byte of whatever file changes, its file is named.
  @Test("Any changed byte of a checkpoint is found, and its file is named")
  func everyChangedByteIsNamed() throws {
    let checkpoint = try CheckpointFolder.write(to: folder.file("step-00000001")) { partial in
      try Data("weights and more weights".utf8).write(to: URL(fileURLWithPath: "\(partial)/model"))
      try Data([0, 255, 1]).write(to: URL(fileURLWithPath: "\(partial)/state"))
    }
    try checkpoint.verify()
    #expect(folder.contents == ["step-00000001"])
    for file in ["model", "state", "manifest"] {
      let name = "step-00000001/\(file)"
      let whole = try folder.bytes(of: name)
      for place in whole.indices {
        for bit in [0x01, 0x20, 0x80] as [UInt8] {
          var damaged = whole
          damaged[place] ^= bit
          try folder.write(damaged, to: name)
          #expect("\(file), byte \(place)") {
            try checkpoint.verify()
          } throws: { error in
            (error as? OnePassError)?.code == .badData
              && "\(error)".contains("\(file) is damaged")
          }
        }
      }
      try folder.write(Array(whole.dropLast()), to: name)
      #expect(throws: OnePassError.self) { try checkpoint.verify() }
      try FileManager.default.removeItem(atPath: folder.file(name))
      #expect { try checkpoint.verify() } throws: { "\($0)".contains("\(file) is missing") }
      try folder.write(whole, to: name)
    }
    try checkpoint.verify()
  }

  @Test("A checkpoint that fails leaves no files")
  func aCheckpointThatFailsLeavesNothing() throws {
    struct Failure: Error {}
    #expect(throws: OnePassError.self) {
      try CheckpointFolder.write(to: folder.file("step-00000001")) { partial in
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(partial)/model"))
        throw Failure()
      }
    }
    #expect(folder.contents.isEmpty)
  }

  func snapshot(predictedClasses: Int?) throws -> MemorySnapshot {
    var memory = ReplayMemory(
      capacity: .examples(20), seed: 1,
      noteBytes: predictedClasses == nil ? 0 : StoredPredictions.bytesPerItem)
    for id in 0..<90 {
      try memory.offer(
        .synthetic(id, bytes: 1 + id), loss: Float(id) * 0.1, priority: id == 70 ? 0 : 1 / Float(id + 1),
        note: predictedClasses.map {
          StoredPrediction(
            classes: [$0 - 1, id], probabilities: [1 - Float(id) / 200, Float(id) / 400]
          ).note
        })
      _ = try memory.draw(2, step: id, batch: 0)
    }
    return memory.snapshot
  }

  @Test("A memory is the same after writing and reading its bytes", arguments: [nil, 100, 65_536])
  func aMemoryComesBackFromItsBytes(predictedClasses: Int?) throws {
    let snapshot = try snapshot(predictedClasses: predictedClasses)
    let data = try MemoryIndex.encode(snapshot)
    let plain = try MemoryIndex.encode(self.snapshot(predictedClasses: nil))
    // The counters are text after their length. Without an order of their names, equal runs would have different files.
    let names = String(decoding: plain.dropFirst(8).prefix { $0 != UInt8(ascii: "}") }, as: UTF8.self)
      .split(separator: ",").compactMap {
        $0.split(separator: "\"").dropFirst($0.hasPrefix("{") ? 1 : 0).first
      }
    #expect(names.count > 4 && names == names.sorted())
    // The counters, which are text, tell of more bytes.
    let more = (plain.count..<plain.count + 8).contains(data.count - (predictedClasses == nil ? 0 : 20 * 12))
    #expect(more && Set(snapshot.items.map(\.note)).count == (predictedClasses == nil ? 1 : 20))
    #expect(try MemoryIndex.decode(data, path: "memory.index") == snapshot)
    #expect(!snapshot.drawingArrangement.isEmpty && snapshot.counters.draws == 180)
    for count in 0..<data.count {
      #expect(throws: OnePassError.self, "\(count) bytes") {
        try MemoryIndex.decode(data.prefix(count), path: "x")
      }
    }
    #expect(throws: OnePassError.self) { try MemoryIndex.decode(data + [0], path: "x") }
  }

  @Test("Checkpoint intervals are parsed")
  func intervalsAreRead() throws {
    #expect(try CheckpointInterval("100") == .steps(100) && CheckpointInterval("90s") == .seconds(90))
    #expect(try CheckpointInterval("10m") == .seconds(600) && CheckpointInterval("1.5h") == .seconds(5_400))
    for text in ["", "0", "-5", "m", "0s", "5d", "1.5", "infs"] {
      #expect(throws: OnePassError.self, "\(text)") { try CheckpointInterval(text) }
    }
  }
}
