import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("Options of augmentation and of stored images", .waitsForPrograms) struct ImageOptionTests {
  let runs: RunFixture

  init() throws { runs = try RunFixture(StripedImages(count: 200)) }

  /// Without replays each image is seen once.
  @Test("Images are not augmented before their first training")
  func imagesAreNotAugmentedBeforeTheirFirstTraining() throws {
    let pass = ["--method", "multi-epoch", "--epochs", "1"]
    let augmentation = ["--augmentation", "rand,cut-out"]
    try runs.train("plain", pass)
    try runs.train("arriving", pass + augmentation)
    try runs.train("augmented", pass + augmentation + ["--augmentation-growth", "0"])
    try runs.expectSame("plain", "arriving")
    #expect(try runs.weights("plain") != runs.weights("augmented"))
    try runs.train("twice", ["--method", "multi-epoch", "--epochs", "2"])
    try runs.train("second", ["--method", "multi-epoch", "--epochs", "2"] + augmentation)
    #expect(try runs.weights("twice") != runs.weights("second"))
  }

  @Test("Augmentation does not depend on the number of decode threads")
  func decodeThreadsDoNotMatterToAugmentation() throws {
    let options = ["--replay-steps", "2", "--augmentation", "trivial,cut-out", "--augmentation-growth", "3"]
    for threads in ["1", "3"] {
      try runs.train(threads, options + ["--decode-threads", threads])
    }
    try runs.expectSame("1", "3")
  }

  @Test("A memory of resized images has room for more images")
  func resizedImagesLeaveRoomForMore() throws {
    let budget = ["--replay-steps", "1", "--storage", "3kB"]
    try runs.train("whole", budget)
    let small = ["--memory-encoding", "resized", "--memory-size", "8", "--memory-quality", "30"]
    try runs.train("small", budget + small)
    let (whole, resized) = (try runs.result("whole"), try runs.result("small"))
    // 144 bytes of pixels and 47 bytes of index, compared with 8 x 8 pixels.
    #expect(whole.number("storage.examples") == 15)
    #expect(try #require(resized.number("storage.examples")) > 40)
    #expect(try #require(resized.number("storage.bytes")) <= 3_000)
    try runs.train("alike", budget + small + ["--incoming-form", "stored"])
    #expect(try runs.weights("small") != runs.weights("alike"))
  }

  @Test(
    "Contradictory image options are refused",
    arguments: [
      (
        ["--augmentation", "blur"],
        "--augmentation must be standard, or one or more of rand"
      ),
      (["--augmentation", "rand,trivial"], "rand and trivial exclude each other"),
      (
        ["--augmentation-magnitude", "2"],
        "--augmentation-magnitude must be between 0 and 1 (got 2)."
      ),
      (["--augmentation-growth=-1"], "--augmentation-growth must be at least 0 (got -1)."),
      (
        ["--augmentation", "cut-out", "--augmentation-magnitude", "0.5"],
        "--augmentation-magnitude has no effect with --augmentation cut-out; omit it, or pass --augmentation rand or trivial."
      ),
      (
        ["--augmentation-magnitude", "0.5"],
        "--augmentation-magnitude has no effect with --augmentation standard;"
      ),
      (
        ["--augmentation", "rand", "--method", "naive"],
        "--augmentation has no effect with --method naive, which takes centre crops; omit it,"
      ),
      (
        ["--memory-size", "8"],
        "--memory-size has no effect with --memory-encoding original; omit it, or pass --memory-encoding resized."
      ),
      (
        ["--memory-quality", "50", "--memory-encoding", "pixels"],
        "--memory-quality has no effect with --memory-encoding pixels;"
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
        "--memory-size 13 exceeds the 12 x 12 pixels"
      ),
      (["--incoming-form", "stored"], "--incoming-form has no effect with --memory-encoding original;"),
    ])
  func contradictoryOptionsAreRefused(arguments: [String], sentence: String) throws {
    let outcome = try runs.attempt(nil, arguments)
    #expect(outcome.status == 64 && outcome.errors.contains(sentence), "\(outcome.errors)")
    #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
  }
}
