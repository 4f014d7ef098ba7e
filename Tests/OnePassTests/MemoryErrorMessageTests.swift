import OnePassCore
import Testing

@testable import OnePass

/// The texts and codes of the errors about the replay memory, several ranks and requests to forget.
@Suite("Error messages about the memory, ranks and forgetting") struct MemoryErrorMessageTests {
  typealias Example = ErrorMessageTests.Example

  static let memory: [Example] = [
    (
      .trainingDiverged(step: 7, learningRate: 0.1), .engine,
      "Training diverged: a loss of step 7 is not finite; lower --learning-rate (got 0.1)."
    ),
    (
      .invalidPriority(-1, from: "Power(exponent: 2.0)", loss: 0.5, progress: 0.25), .usage,
      "The priority function Power(exponent: 2.0) returned -1.0 for the loss 0.5 at progress 0.25; priorities must be finite and at least 0."
    ),
    (
      .storageBelowOneImage("500", smallest: 900, of: 16, emptyFiles: 0), .usage,
      "--storage 500 is too small for any of the first 16 images: the smallest takes 900 bytes with its index entry; pass a larger value, or use --method naive."
    ),
    (
      .storageBelowOneImage("5 kB", smallest: 5_120, of: 16, emptyFiles: 12_288), .usage,
      "--storage 5 kB is too small for any of the first 16 images: the smallest takes 5120 bytes with its index entry, and the empty files take 12288 bytes; pass a larger value, or use --method naive."
    ),
    (
      .storedImageUndecodable(example: 7, reason: "The file is empty."), .engine,
      "Example 7 was decoded on arrival, and cannot be decoded from the replay memory. The file is empty."
    ),
    (
      .invalidStoredPrediction, .badData,
      "The replay memory is damaged: a stored prediction is not a distribution."
    ),
    (
      .tooManyClassesToStorePredictions(65_537, of: "idx:digits", limit: 65_536), .usage,
      "--stored-predictions supports at most 65536 classes, and idx:digits has 65537; omit it."
    ),
    (
      .damagedMemoryTable("a/memory.csv", expectedHeader: "id,label"), .badData,
      "a/memory.csv is damaged: its first line is not `id,label`."
    ),
    (
      .damagedMemoryTable("a/memory.csv", line: 3, text: "7,x"), .badData,
      "a/memory.csv is damaged: line 3 is not an item (`7,x`)."
    ),
    (
      .runWithoutMemory("runs/a", title: "naive one-pass"), .usage,
      "runs/a had no replay memory (naive one-pass); pass a run with --method replay."
    ),
    (
      .checkpointsRemoved(from: "runs/a/unfinished"), .io,
      "runs/a/unfinished no longer contains a checkpoint; try again when the run has ended."
    ),
  ]

  static let ranks: [Example] = [
    (
      .sourceOfOneProcess("wds:-", processes: 2), .usage,
      "wds:- can be read by one process only (started: 2); pass files."
    ),
    (
      .memoryDirectoryOfSeveralProcesses(2), .usage,
      "--memory-directory requires a single process (started: 2); omit it, and each process keeps its share in RAM."
    ),
    (
      .shuffleBufferOfSeveralProcesses(4), .usage,
      "--shuffle-buffer requires a single process (started: 4); omit it, and shuffle with `onepass pack`."
    ),
    (
      .graphsOfSeveralProcesses(2), .usage,
      "--cuda-graphs requires a single process (started: 2); omit it."
    ),
    (
      .batchSizeBelowProcesses(1, processes: 2), .usage,
      "--batch-size 1 is less than the number of processes, 2; increase it, or start fewer processes."
    ),
    (.imageNotSent(byRank: 1, example: 7), .engine, "Rank 1 did not send the image of example 7."),
  ]

  static let forgetting: [Example] = [
    (
      .nothingToForget, .usage,
      "`memory forget` requires --subject, --class, --before or --position."
    ),
    (
      .forgettingWithShuffleBuffer("runs/a"), .usage,
      "runs/a is not finished, and its shuffle buffer holds examples that cannot be searched; finish it with --resume, or remove it."
    ),
    (
      .forgettingWithCustomOrder("runs/a"), .usage,
      "runs/a is not finished, and its custom selector keeps an order of the memory that only its program can change; finish the run there with --resume, or remove it."
    ),
    (
      .positionNotTaken(300, run: "runs/a", taken: 250), .usage,
      "--position 300 is not among the 250 examples of runs/a; pass a position below 250."
    ),
    (
      .subjectsNotRecorded("runs/a"), .usage,
      "--subject requires a run with --subject-key (runs/a was trained without it); use --class, --before or --position."
    ),
    (
      .arrivalTimesNotRecorded("runs/a"), .usage,
      "--before must be a position for runs/a, which has no arrival times."
    ),
    (
      .unknownClass("bird", run: "runs/a"), .usage,
      "--class bird is not a class of runs/a; pass a class name or a label."
    ),
  ]

  @Test("Messages have their exact text and code", arguments: memory + ranks + forgetting)
  func messagesHaveTheirTextAndCode(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text && error.code == code)
  }
}
