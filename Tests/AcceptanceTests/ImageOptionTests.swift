import Foundation
import TestSupport
import Testing

/// Options that change what is seen of an image, and what is kept of it.
@Suite struct ImageOptionTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try StripedImages(count: 200).write(to: folder)
  }

  func train(_ arguments: [String], output: String) throws -> [String: Any] {
    let outcome = try onepass.run(
      ["train", "--data", "idx:\(folder.path)"] + small + arguments + ["--output", folder.file(output)])
    #expect(outcome.status == 0, "\(outcome.errors)")
    return jsonObject(Data(try folder.bytes(of: "\(output)/result.json")))
  }

  func weights(_ name: String) throws -> [UInt8] {
    try folder.bytes(of: "\(name)/checkpoint/model.safetensors")
  }

  /// In the first pass, and without replays, no image has been seen before.
  @Test func whatArrivesIsNotAugmentedUnlessAsked() throws {
    let pass = ["--method", "multi-epoch", "--epochs", "1"]
    let augmentation = ["--augmentation", "rand,cut-out"]
    _ = try train(pass, output: "plain")
    _ = try train(pass + augmentation, output: "arriving")
    _ = try train(pass + augmentation + ["--augmentation-growth", "0"], output: "augmented")
    #expect(try weights("plain") == weights("arriving"))
    #expect(try weights("plain") != weights("augmented"))
    _ = try train(["--method", "multi-epoch", "--epochs", "2"], output: "twice")
    _ = try train(["--method", "multi-epoch", "--epochs", "2"] + augmentation, output: "second")
    #expect(try weights("twice") != weights("second"))
  }

  @Test func decodeThreadsDoNotMatterToAugmentation() throws {
    let options = ["--replay-steps", "2", "--augmentation", "trivial,cut-out", "--augmentation-growth", "3"]
    for threads in ["1", "3"] {
      _ = try train(options + ["--decode-threads", threads], output: threads)
    }
    #expect(try weights("1") == weights("3"))
  }

  @Test func smallerImagesLeaveRoomForMore() throws {
    let budget = ["--replay-steps", "1", "--storage", "3kB"]
    let whole = try train(budget, output: "whole")
    let small = ["--memory-encoding", "resized", "--memory-size", "8", "--memory-quality", "30"]
    let resized = try train(budget + small, output: "small")
    // 144 bytes of pixels with 31 of index against a block of 8 x 8.
    #expect(whole.number("storage.examples") == 17)
    #expect(try #require(resized.number("storage.examples")) > 40)
    #expect(try #require(resized.number("storage.bytes")) <= 3_000)
    _ = try train(budget + small + ["--incoming-form", "stored"], output: "alike")
    #expect(try weights("small") != weights("alike"))
  }

  @Test(arguments: [
    (
      ["--augmentation", "blur"], "--augmentation blur is not possible: give standard, or one or more of rand"
    ),
    (["--augmentation", "rand,trivial"], "rand and trivial exclude each other"),
    (
      ["--augmentation-magnitude", "2"],
      "--augmentation-magnitude must be between 0 and 1 (got 2)."
    ),
    (["--augmentation-growth=-1"], "--augmentation-growth must be at least 0 (got -1)."),
    (
      ["--augmentation", "cut-out", "--augmentation-magnitude", "0.5"],
      "--augmentation-magnitude is for rand and trivial"
    ),
    (["--augmentation-magnitude", "0.5"], "--augmentation-magnitude is for rand and trivial"),
    (["--augmentation", "rand", "--method", "naive"], "--method naive takes the centre: leave it out"),
    (["--memory-size", "8"], "--memory-size is for images that are resized"),
    (
      ["--memory-quality", "50", "--memory-encoding", "pixels"],
      "--memory-quality is for images that are encoded"
    ),
    (
      ["--memory-encoding", "resized", "--memory-quality", "0"],
      "--memory-quality must be between 1 and 100 (got 0)."
    ),
    (
      ["--memory-encoding", "resized", "--memory-size", "4"],
      "--memory-size must be between 8 and 4096 (got 4)."
    ),
    (
      ["--memory-encoding", "resized", "--memory-size", "13"],
      "--memory-size 13 is larger than the 12 x 12 pixels"
    ),
    (["--incoming-form", "stored"], "--incoming-form stored is for a memory whose images lose something"),
  ])
  func optionsThatMakeNoSenseAreRefused(arguments: [String], sentence: String) throws {
    let outcome = try onepass.run(["train", "--data", "idx:\(folder.path)"] + small + arguments)
    #expect(outcome.status == 64 && outcome.errors.contains(sentence), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }
}
