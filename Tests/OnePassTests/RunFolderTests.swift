import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass

@Suite("The folder of a run") struct RunFolderTests {
  @Test("Nothing exists before the commit")
  func nothingIsThereBeforeTheCommit() throws {
    let parent = try TemporaryFolder()
    do {
      let folder = try RunFolder(creating: parent.file("run"))
      try folder.write("a", to: "deep/file.txt")
      #expect(!parent.exists("run"))
      try folder.commit()
      #expect(try parent.bytes(of: "run/deep/file.txt") == Array("a".utf8))
    }
    #expect(parent.contents == ["run"])
  }

  @Test("A parent that cannot contain a folder is refused at once")
  func aParentThatCannotHoldTheFolderIsRefusedAtOnce() throws {
    let parent = try TemporaryFolder()
    try parent.write([1], to: "file")
    #expect {
      try RunFolder(creating: parent.file("file/run"))
    } throws: { ($0 as? OnePassError)?.code == .io }
  }

  @Test("A run that cannot be moved to its place is kept")
  func aRunThatCannotBeNamedIsKept() throws {
    let parent = try TemporaryFolder()
    do {
      let folder = try RunFolder(creating: parent.file("run"))
      try folder.write("weights", to: "model")
      try parent.write([1], to: "run/another")  // Another process was faster.
      #expect {
        try folder.commit()
      } throws: { ($0 as? OnePassError)?.code == .io && "\($0)".contains("the complete run is in") }
    }
    let kept = try #require(parent.contents.first { $0.hasPrefix(".run.partial") })
    #expect(parent.exists("\(kept)/model"))
  }

  @Test("A run that fails leaves nothing")
  func aRunThatFailsLeavesNothing() throws {
    let parent = try TemporaryFolder()
    do { try RunFolder(creating: parent.file("run")).write("a", to: "file.txt") }
    #expect(parent.contents.isEmpty)
  }

  @Test("A folder that is not empty is refused")
  func aFolderThatHoldsSomethingIsRefused() throws {
    let parent = try TemporaryFolder()
    try parent.write([1], to: "run/result.json")
    #expect {
      try RunFolder(creating: parent.file("run"))
    } throws: { error in
      (error as? OnePassError)?.code == .usage && "\(error)".contains("already contains a run")
    }
    // An empty folder is accepted.
    try FileManager.default.createDirectory(atPath: parent.file("empty"), withIntermediateDirectories: true)
    let folder = try RunFolder(creating: parent.file("empty"))
    try folder.write("a", to: "file.txt")
    try folder.commit()
    #expect(parent.exists("empty/file.txt"))
  }

  @Test("Memory tables are the same after writing and reading")
  func memoryTablesAreReadAsTheyAreWritten() throws {
    let items = (0..<20).map {
      MemoryItem(
        id: $0 * 3, label: $0 % 4, loss: Float($0) / 7, priority: 1 / Float($0 + 1), draws: $0,
        bytes: 100 + $0)
    }
    let table = try MemoryTable(csv: MemoryTable(items: items.reversed()).csv, path: "memory.csv")
    #expect(table.items == items)
    for damaged in ["", "id,label\n", MemoryTable(items: items).csv + "1,2,3\n"] {
      #expect {
        try MemoryTable(csv: damaged, path: "memory.csv")
      } throws: { ($0 as? OnePassError)?.code == .badData }
    }
  }

  @Test("Memory tables contain stored predictions")
  func memoryTablesTellPredictions() throws {
    let items = (0..<300).map { id in
      let classes = Array([id, id + 1, 65_535, 0].filter { $0 == id || $0 != 0 }.prefix(1 + id % 4))
      let share = Float(id % 255) / 255
      return MemoryItem(
        id: id, label: 1, loss: 1, priority: 0.5, draws: 0, bytes: 10,
        note: StoredPrediction(
          classes: classes, probabilities: classes.indices.map { $0 == 0 ? share : (1 - share) / 3 }
        ).note)
    }
    let text = MemoryTable(items: items).csv
    #expect(try MemoryTable(csv: text, path: "memory.csv").items == items)
    let start = text.prefix { $0 != "\n" } + "\n0,1,1.0,0.5,0,10"
    #expect(
      try MemoryTable(csv: start + ",7:204 2:51\n", path: "").items[0].storedPrediction?.classes == [7, 2])
    for damaged in [
      "", ",", ",7", ",7:204 7:51", ",7:204 2:52", ",65536:1", ",1:-1", ",1:2:3", ",1:1 2:1 3:1 4:1 5:1",
      ",x:1",
    ] {
      #expect {
        try MemoryTable(csv: start + damaged + "\n", path: "")
      } throws: { ($0 as? OnePassError)?.code == .badData && "\($0)".contains("line 2") }
    }
  }

  @Test("The summary counts the items that were classified correctly")
  func summaryCountsWhatWasRecognised() throws {
    let items = [(1, [1, 0]), (1, [0, 1]), (0, [0, 2])].enumerated().map { id, item in
      MemoryItem(
        id: id, label: item.0, loss: 1, priority: 0.5, draws: 0, bytes: 10,
        note: StoredPrediction(classes: item.1, probabilities: [0.6, 0.4]).note)
    }
    #expect(MemorySummary(items, examplesSeen: 3).recognised == 2)
  }

  @Test("The summary counts classes and ages")
  func summaryCountsClassesAndAges() throws {
    let items = [(0, 1), (5, 1), (9, 0)].map {
      MemoryItem(id: $0.0, label: $0.1, loss: 1, priority: 0.5, draws: $0.0, bytes: 10)
    }
    let summary = MemoryTable(items: items).summary(examplesSeen: 10)
    #expect(summary.itemsPerClass == [0: 1, 1: 2] && summary.imageBytes == 30 && summary.neverDrawn == 1)
    #expect(summary.recognised == nil)
    #expect(summary.age?.minimum == 0 && summary.age?.median == 4 && summary.age?.maximum == 9)
  }
}
