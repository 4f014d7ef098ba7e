import Foundation
import OnePassCore
import OnePassData
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

/// Small pictures in class folders, of which no two are alike.
struct PictureFolders {
  let folder: TemporaryFolder

  init(classes: [String] = ["cat", "dog"], each: Int = 60, in name: String = "train") throws {
    folder = try TemporaryFolder()
    for (label, title) in classes.enumerated() {
      for index in 0..<each {
        try write(index + 1_000 * label, to: "\(name)/\(title)/\(String(1_000 + index).dropFirst()).ppm")
      }
    }
  }

  /// Writes a picture with this number as its seed.
  func write(_ seed: Int, to path: String) throws {
    try folder.write(Array("P6\n16 16\n255\n".utf8) + noise(seed, count: 768), to: path)
  }

  func rename(_ from: String, _ to: String) throws {
    let target = URL(fileURLWithPath: folder.file(to))
    try FileManager.default.createDirectory(
      at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: folder.file(from), toPath: target.path)
  }
}

@Suite("The data of a resumed run is compared with the records of the run") struct ResumedDataTests {
  /// Trains, and stops in the step after `stop` steps.
  /// - Returns: The notices.
  @discardableResult
  func train(
    _ data: String, to output: String, stop: Int? = nil, continuing: Bool = false,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> [String] {
    var configuration = RunConfiguration.small(on: data, replaySteps: 1)
    configuration.recipe.batchSize = 8
    change(&configuration)
    let request = StopRequest()
    var notices: [String] = []
    do {
      _ = try TrainingRun(configuration).start(
        output: output, resuming: true, stop: request
      ) { event in
        switch event {
        case .notice(let text): notices.append(text)
        case .step(let report) where report.step == stop: request.stop()
        default: break
        }
      }
      #expect(stop == nil)
    } catch is RunStopped { #expect(stop != nil) }
    return notices
  }

  func expectRefusal(_ text: String, _ body: () throws -> Void) {
    #expect {
      try body()
    } throws: { error in
      (error as? OnePassError)?.code == .badData && "\(error)".contains(text)
    }
  }

  func weights(_ folder: TemporaryFolder, _ name: String) throws -> [UInt8] {
    try folder.bytes(of: "\(name)/checkpoint/model.safetensors")
  }

  @Test("A class with another name is refused, and named")
  func aRenamedClassIsRefused() throws {
    let pictures = try PictureFolders()
    let (data, run) = ("folder:\(pictures.folder.file("train"))", pictures.folder.file("run"))
    try train(data, to: run, stop: 4)
    try pictures.rename("train/cat", "train/zebra")
    expectRefusal("other classes than the run (new: zebra; missing: cat)") { try train(data, to: run) }
    try pictures.rename("train/zebra", "train/cat")
    try train(data, to: run)
    #expect(try PassVerification(of: run).repeated == 0)
  }

  @Test("The same files elsewhere are the same data")
  func movedDataResumes() throws {
    let pictures = try PictureFolders()
    let folder = pictures.folder
    try train("folder:\(folder.file("train"))", to: folder.file("whole"))
    try train("folder:\(folder.file("train"))", to: folder.file("run"), stop: 4)
    try pictures.rename("train", "other/place")
    let notices = try train("folder:\(folder.file("other/place"))", to: folder.file("run"))
    #expect(notices.contains { $0.contains("/other/place, and was folder:") && $0.contains("/train before") })
    #expect(!notices.contains { $0.contains("compared with the ledger") })
    #expect(try weights(folder, "run") == weights(folder, "whole"))
    #expect(
      try RunFiles.result(in: folder.file("run")).configuration.data.source.hasSuffix("other/place"))
    var pass = try PassVerification(of: folder.file("run"))
    try pass.compare(withData: "folder:\(folder.file("other/place"))", of: folder.file("run"))
    #expect(pass.faults.isEmpty && pass.compared == 120 && pass.repeated == 0)
  }

  /// A zip of the folders lists other names. Its contents decide.
  @Test("A renamed, added or replaced file is refused, and named")
  func otherFilesAreRefused() throws {
    let pictures = try PictureFolders()
    let folder = pictures.folder
    let (data, run) = ("folder:\(folder.file("train"))", folder.file("run"))
    try train(data, to: run, stop: 5)
    let saved = try #require(try UnfinishedRun.lastCheckpoint(of: run)).state
    let first = try ShuffledSource(
      FolderTable(folder.file("train")), specification: data, seed: 1
    ).location(of: 2)
    let taken = try #require(first).dropFirst(folder.path.count + 1)
    #expect(saved.examplesTaken == 48)

    // Every position behind it is another file's; the number of files stays.
    try pictures.rename("train/cat/000.ppm", "train/cat/zzz.ppm")
    expectRefusal("does not match the ledger: example") { try train(data, to: run) }
    try pictures.rename("train/cat/zzz.ppm", "train/cat/000.ppm")

    try pictures.write(77_777, to: "train/cat/extra.ppm")
    expectRefusal("has 121 examples, and the run was started with 120") { try train(data, to: run) }
    try FileManager.default.removeItem(atPath: folder.file("train/cat/extra.ppm"))

    // The same name and size.
    let original = try folder.bytes(of: String(taken))
    try pictures.write(88_888, to: String(taken))
    expectRefusal("example 2 (\(folder.path)/\(taken)) differs") { try train(data, to: run) }
    try folder.write(original, to: String(taken))
    try train(data, to: run)
  }

  /// Only the second shard, of which nothing has been taken, has other contents.
  @Test("Shards of other sizes are read again, and shorter ones refused")
  func otherShardsAreComparedAndCounted() throws {
    let pictures = try PictureFolders()
    let folder = pictures.folder
    let source = ShuffledSource(
      try FolderTable(folder.file("train")), specification: "folder:train", seed: 3)
    var tars: [[UInt8]] = []
    while let example = try source.next() {
      let name = String(1_000 + example.id)
      tars.append(
        Self.tarEntry("\(name).ppm", Array(example.image.bytes))
          + Self.tarEntry("\(name).cls", Array("\(example.label)".utf8)))
    }
    let end = [UInt8](repeating: 0, count: 1_024)
    func write(_ shards: [ArraySlice<[UInt8]>]) throws {
      for (index, shard) in shards.enumerated() {
        try folder.write(shard.flatMap { $0 } + end, to: "s-\(index).tar")
      }
    }
    let (data, run) = ("wds:\(folder.file("s-{0..1}.tar"))", folder.file("run"))
    try write([tars[..<80], tars[80...]])
    try train(data, to: run, stop: 5)
    try write([tars[..<80], tars[80..<110]])
    expectRefusal("has 110 examples, and the run was started with 120") { try train(data, to: run) }
    try write([tars[1..<80] + tars[..<1], tars[80...]])
    // The sample of examples that were taken last does not reach back to what differs, but it is not the same shard any more.
    expectRefusal("does not match the ledger: example 0 differs") { try train(data, to: run) }
    try write([tars[..<80] + tars[80..<90], tars[90...]])
    let notices = try train(data, to: run)
    #expect(notices.contains { $0.contains("all 48 examples taken so far were compared with the ledger") })
    #expect(try PassVerification(of: run).repeated == 0)
  }

  static func tarEntry(_ name: String, _ body: [UInt8]) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
    }
    let octal = String(body.count, radix: 8)
    put(name, at: 0)
    put("0000644", at: 100)
    put(String(repeating: "0", count: 11 - octal.count) + octal, at: 124)
    put("00000000000", at: 136)
    put("        0", at: 148)
    put("ustar\u{0}00", at: 257)
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0} ", at: 148)
    return header + body + [UInt8](repeating: 0, count: (512 - body.count % 512) % 512)
  }

  @Test("Several passes have no ledger: other files are refused, moved ones are not")
  func severalPassesNeedTheSameFiles() throws {
    let pictures = try PictureFolders(each: 20)
    let folder = pictures.folder
    func epochs(_ configuration: inout RunConfiguration) {
      (configuration.method, configuration.epochs) = (.multiEpoch, 2)
      configuration.replay = RunConfiguration.defaults.replay
    }
    let run = folder.file("run")
    try train("folder:\(folder.file("train"))", to: run, stop: 3, epochs)
    try pictures.rename("train/dog/000.ppm", "train/dog/new.ppm")
    expectRefusal("other files than at the start of the run") {
      try train("folder:\(folder.file("train"))", to: run, epochs)
    }
    try pictures.rename("train/dog/new.ppm", "train/dog/000.ppm")
    try pictures.rename("train", "moved")
    try train("folder:\(folder.file("moved"))", to: run, epochs)
  }

  @Test("What is compared costs 2 % of the rest, and at least 64 examples")
  func theSampleIsBounded() {
    #expect(LedgerComparison.sample.count(taken: 40, left: 1_000_000) == 40)
    #expect(LedgerComparison.sample.count(taken: 1_000_000, left: 1_000_000) == 20_000)
    #expect(LedgerComparison.sample.count(taken: 1_000_000, left: 50) == 64)
    #expect(LedgerComparison.everyExample.count(taken: 70_000, left: 1) == 70_000)
  }

  @Test("An unfinished run evaluates, predicts and compares from its last checkpoint")
  func anUnfinishedRunIsUsable() throws {
    let pictures = try PictureFolders(each: 40)
    let folder = pictures.folder
    let (data, run) = ("folder:\(folder.file("train"))", folder.file("run"))
    func average(_ configuration: inout RunConfiguration) { configuration.recipe.weightAverage = 0.5 }
    try train(data, to: run, stop: 6, average)
    let model = try TrainedModel(checkpoint: run, device: "cpu")
    #expect(
      model.stage.notice(of: "run")
        == "run is unfinished; using its last checkpoint, step-00000007, after step 7 of 10.")
    let last = try #require(try UnfinishedRun.lastCheckpoint(of: run))
    let raw = try StateDictionary(safetensors: last.folder.path(of: Checkpoint.weightsName))
    // The average, not the weights that train on.
    let first = try #require(model.model.parameters.first)
    #expect(try first.tensor.floats() != raw.entries[0].tensor.floats())
    let evaluation = try model.evaluation(on: data)
    #expect(evaluation.accuracy.examples == 80)
    let summary = try RunSummary(of: run)
    #expect(summary.stage == model.stage && summary.top1 == nil && summary.storedFraction == 8.0 / 56)
    try train(data, to: run, average)
    #expect(try RunSummary(of: run).stage == .finished && RunSummary(of: run).storedFraction == 0.1)
    #expect(try TrainedModel(checkpoint: run, device: "cpu").stage.notice(of: "run") == nil)
  }
}

@Suite("A run that trains") struct TrainingRunFilesTests {
  /// The lock of the run is held by this very process, which a second opening of the file cannot take.
  @Test("It is verified as of its last checkpoint", arguments: [false, true])
  func itIsVerified(onDisk: Bool) throws {
    let pictures = try PictureFolders(each: 40)
    let folder = pictures.folder
    let data = "folder:\(folder.file("train"))"
    var configuration = RunConfiguration.small(on: data, replaySteps: 1)
    configuration.recipe.batchSize = 8
    configuration.memory.directory = onDisk ? folder.file("memory") : nil
    var pass: PassVerification?
    _ = try TrainingRun(configuration).start(
      output: folder.file("run"), checkpoints: CheckpointPlan(every: .steps(3))
    ) { event in
      guard case .step(let report) = event, report.step == 8 else { return }
      pass = try? PassVerification(of: folder.file("run"))
      #expect(throws: Never.self) { try pass?.compare(withData: data, of: folder.file("run")) }
      #expect(throws: OnePassError.self) {
        try Forgetting(ForgetRequest(positions: [1]), in: folder.file("run"))
      }
    }
    let found = try #require(pass)
    #expect(found.examples == 48 && found.compared == 48 && found.faults.isEmpty)
    #expect(found.checkpoints == ["step-00000006"] && found.items + found.itemsByPosition == 8)
    #expect(onDisk || found.items > 0)
  }
}

@Suite("The files of a run that contain images") struct RunImageFileTests {
  @Test("A memory directory in the run's own folders is refused")
  func aMemoryDirectoryIsOutsideOfTheRun() throws {
    for path in [
      "runs/a/checkpoint", "runs/a/unfinished/x", "./runs/b/../a/state", "runs/a", "runs/a/tensorboard",
    ] {
      #expect(throws: OnePassError.self, "\(path)") { try MemoryDirectory.check(path, outside: "runs/a") }
    }
    for path in ["runs/a-memory", "runs/a/memory", "runs/ab", "runs", nil] {
      try MemoryDirectory.check(path, outside: "runs/a")
    }
  }

  /// A second name of the file shows what is in its blocks after the run has removed it.
  @Test("The images of an unfinished run are overwritten at its end")
  func theImagesOfAnUnfinishedRunAreOverwritten() throws {
    let pictures = try PictureFolders(each: 30)
    let folder = pictures.folder
    var configuration = RunConfiguration.small(on: "folder:\(folder.file("train"))", replaySteps: 1)
    configuration.recipe.batchSize = 8
    _ = try TrainingRun(configuration).start(
      output: folder.file("run"), checkpoints: CheckpointPlan(every: .steps(2))
    ) { event in
      guard case .step(let report) = event, report.step == 7 else { return }
      #expect(link(folder.file("run/unfinished/images.sqlite"), folder.file("images")) == 0)
    }
    #expect(!folder.exists("run/unfinished"))
    let left = try folder.bytes(of: "images")
    #expect(left.count > 4_096 && left.allSatisfy { $0 == 0 })
  }
}

@Suite("The compute threads of a resumed run") struct ResumedThreadsTests {
  @Test("They are those before, unless others are requested, which is reported")
  func theyAreThoseBefore() {
    func threads(_ requested: Int?, _ before: Int?, cores: Int = 4) -> (count: Int?, notices: [String]) {
      let threads = ResumedThreads(requested, before: before, precision: .bfloat16, cores: cores)
      return (threads.count, threads.notices)
    }
    // In float32 a run does not depend on them.
    for before in [1, 8] {
      let threads = ResumedThreads(nil, before: before, precision: .float32, cores: 4)
      #expect(threads.count == nil && threads.notices.isEmpty)
    }
    #expect(threads(nil, nil) == (nil, []))
    #expect(threads(3, nil) == (3, []))
    #expect(threads(nil, 2) == (2, []))
    #expect(threads(2, 2) == (2, []))
    #expect(threads(3, 1).count == 3)
    #expect(threads(3, 1).notices.first?.hasPrefix("The run used 1 compute thread and uses 3 now") == true)
    #expect(threads(nil, 8, cores: 1).count == 8)
    #expect(threads(nil, 8, cores: 1).notices.first?.contains("on 1 core; pass --threads 1") == true)
  }
}
