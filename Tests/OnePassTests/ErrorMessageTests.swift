import Foundation
import OnePassCore
import Testing

@testable import OnePass

/// The texts and codes of the errors about options, files and runs. Those about data are in `DataErrorMessageTests`.
@Suite("Error messages about options, files and runs") struct ErrorMessageTests {
  typealias Example = (error: OnePassError, code: OnePassError.Code, text: String)

  static let cause = OnePassError(.badData, "runs/a/ledger is damaged.")

  static let options: [Example] = [
    (
      .valueOutOfRange("--limit", mustBe: "at least 1", got: "0"), .usage,
      "--limit must be at least 1 (got 0)."
    ),
    (
      .valueOutOfRange("--output", mustBe: "a folder", got: ""), .usage,
      "--output must be a folder (got an empty value)."
    ),
    (
      .evaluationReadOnce("wds:-"), .usage,
      "--eval-every reads the evaluation data repeatedly, and wds:- can be read only once; "
        + "pass --eval-data with files, or omit --eval-every."
    ),
    (.optionRequires("--resume", "--output"), .usage, "--resume requires --output."),
    (
      .customPartMissing(option: "priority", record: "own:mine"), .usage,
      "--priority own:mine is a custom part of another program; start the run from that program, or use a built-in value."
    ),
    (
      .optionWithoutEffect(
        "--time-to-live", .init("with --method multi-epoch", "pass --method replay")), .usage,
      "--time-to-live has no effect with --method multi-epoch; omit it, or pass --method replay."
    ),
    (
      .priorityNeedsRefreshing("pruning"), .usage,
      "--priority pruning depends on losses measured at replay; pass --priority-timing refreshed."
    ),
    (
      .drawingHasNoProbability("uniform+oldest:0.5"), .usage,
      "--drawing uniform+oldest:0.5 selects in a fixed order at least part of the time, so importance weights are undefined; pass --no-importance-weights, or use only random selectors."
    ),
    (
      .weightsUndoBalancedDraws("class-balanced"), .usage,
      "--drawing class-balanced balances the classes, and importance weights would undo that; pass --no-importance-weights."
    ),
    (
      .drawingOfEvictions("cbrs"), .usage,
      "--drawing cbrs can only select items for eviction; pass --evicting cbrs."
    ),
    (
      .indexExceedsMemory(examples: 1_000_000_000_000, bytes: 47_000_000_000_000, available: 25_000_000_000),
      .usage,
      "--storage 1000000000000: the index of so many examples takes 47.0 TB, but the machine has 25.0 GB of memory; "
        + "reduce --storage."
    ),
    (
      .stepExceedsMemory(batches: 10, of: 631_000_000_000, available: 25_000_000_000), .usage,
      "--batch-size: the 10 mini-batches of a step take 631 GB each, but the machine has 25.0 GB of memory; "
        + "reduce --batch-size, --replay-steps or --image-size."
    ),
    (
      .storageExceedsStream(201, streamExamples: 200), .usage,
      "--storage 201 exceeds the 200 examples of the stream; pass at most 100%, or use --method multi-epoch."
    ),
    (
      .storageHoldsNothing("0.1%", streamExamples: 200), .usage,
      "--storage 0.1% is less than one of the 200 examples of the stream; pass a larger value, or use --method naive."
    ),
    (
      .memorySizeExceedsCropSource(64, cropSource: 40), .usage,
      "--memory-size 64 exceeds the 40 x 40 pixels that crops are taken from; pass at most 40, or omit it."
    ),
    (
      .rampsExceedRun(warmUp: 0.5, coolDown: 0.6), .usage,
      "--warm-up 0.5 and --cool-down 0.6 add up to more than 1; reduce one of them."
    ),
    (
      .refreshedPrioritiesOfMixedImages("mixup"), .usage,
      "--priority-timing refreshed cannot be combined with --mixing mixup, which mixes the replayed images; omit one of them."
    ),
    (
      .onDemandWithSeveralPasses, .usage,
      "--schedule on-demand cannot be combined with --method multi-epoch; use --schedule trapezoid."
    ),
    (
      .graphsOfJointUpdates, .usage,
      "--cuda-graphs captures the update on one mini-batch, and --updates joint uses several at once; omit one of them."
    ),
    (
      .precisionUnsupported("bfloat16"), .usage,
      "--precision bfloat16 is not supported by the processor of this machine; omit it, or use a GPU."
    ),
  ]

  static let files: [Example] = [
    (
      .unreadableFile("runs/a/ledger", cause: cause), .io,
      "runs/a/ledger cannot be read; check its permissions, or restore it from a backup."
    ),
    (
      .unwritableFile("/runs/a.csv", cause: POSIXError(.ENOSPC)), .io,
      "/runs/a.csv cannot be written; free space in /runs."
    ),
    (
      .outputNotWritten("/runs/a", reason: "No space left on device", cause: POSIXError(.ENOSPC)), .io,
      "--output /runs/a cannot be written (No space left on device); free space in /runs."
    ),
    (.unwritableFile("a.csv"), .io, "a.csv cannot be written; check permissions and free disk space."),
    (
      .unwritableFile("a.csv", reason: "Permission denied"), .io,
      "a.csv cannot be written (Permission denied); check permissions and free disk space."
    ),
    (
      .folderNotCreated("runs/a", cause: cause), .io,
      "runs/a cannot be created; check permissions and free disk space."
    ),
    (
      .damagedFile("a.json"), .badData,
      "a.json is damaged: its content does not match its checksum or format."
    ),
    (.outputIsFile("a.txt"), .usage, "--output a.txt is a file; pass a folder."),
    (
      .outputHasUnfinishedRun("runs/a"), .usage,
      "--output runs/a contains an unfinished run; pass --resume to continue it, or choose another folder."
    ),
    (
      .outputHasRun("runs/a"), .usage,
      "--output runs/a already contains a run; choose another folder, or remove it."
    ),
    (
      .outputNotEmpty("runs/a"), .usage, "--output runs/a is not empty; choose another folder, or remove it."
    ),
    (
      .parentNotWritable("--output", "/etc/a/b", ancestor: "/etc"), .io,
      "--output /etc/a/b cannot be created, because /etc is not a writable folder; choose another folder."
    ),
    (
      .outputNotRenamed("runs/a", reason: "Not a directory", staging: "runs/.a.partial-1"), .io,
      "--output runs/a cannot be created (Not a directory); the complete run is in runs/.a.partial-1."
    ),
    (
      .outputNotWritten("runs/a", reason: "No space left on device", cause: cause), .io,
      "--output runs/a cannot be written (No space left on device); check permissions and free disk space."
    ),
    (
      .noRun(in: "photos"), .io,
      "photos contains no run; pass a folder that `onepass train --output` created."
    ),
    (
      .noCheckpoint(in: "photos", exists: true), .io,
      "photos contains no checkpoint; pass a folder that `onepass train --output` created."
    ),
    (
      .noCheckpoint(in: "photos", exists: false), .io,
      "photos does not exist; pass a folder that `onepass train --output` created."
    ),
    (
      .noResult("photos/result.json", cause: cause), .io,
      "photos/result.json cannot be read; pass a folder that `onepass train --output` created."
    ),
    (
      .incompleteCheckpoint("runs/a/checkpoint/model.json", cause: cause), .io,
      "runs/a/checkpoint/model.json cannot be read: the checkpoint is incomplete; restore it from a backup or train again."
    ),
    (
      .noMemoryTable("runs/a/checkpoint/memory.csv", cause: cause), .io,
      "runs/a/checkpoint/memory.csv cannot be read: the run had no replay memory."
    ),
  ]

  static let runs: [Example] = [
    (
      .runHasOtherOptions("runs/a", difference: "replay-steps 1, not 2"), .usage,
      "runs/a was started with other options (replay-steps 1, not 2); pass the same options, or choose another folder."
    ),
    (
      .continuingSeveralPasses(), .usage,
      "--continue has no effect with --method multi-epoch, which needs the same data in every pass; omit it."
    ),
    (
      .extendingSeveralPasses(), .usage,
      "--extend has no effect with --method multi-epoch, which needs the same data in every pass; omit it."
    ),
    (
      .extendingUnfinishedRun("runs/a"), .usage,
      "runs/a is unfinished and cannot be extended; continue it with --output runs/a --resume."
    ),
    (
      .noStateToExtend("runs/a"), .usage,
      "runs/a has no state to extend; only a run that was trained with --keep-state has one. "
        + "To start from its weights alone, pass --initialise."
    ),
    (
      .ranksReadOtherData(1, example: 17), .badData,
      "Rank 1 has another image or label as example 17 than the rank that trains on it; give every rank the same files."
    ),
    (
      .memoryDirectoryInOutput("runs/a/checkpoint", output: "runs/a"), .usage,
      "--memory-directory runs/a/checkpoint is a folder that the run itself writes in runs/a; choose one beside it."
    ),
    (
      .memoryKeyInOutput("runs/a/keys", folder: "runs/a"), .usage,
      "--memory-key runs/a/keys is in runs/a, whose copies would then contain the key; choose a file elsewhere."
    ),
    (
      .keyOfBufferDestroyed("a/unfinished/step-00000003"), .usage,
      "a/unfinished/step-00000003 cannot be resumed, because its shuffle buffer has an image whose key was destroyed; start a new run."
    ),
    (.memoryKeyRequired, .usage, "--memory-key is required, because the run encrypts its memory."),
    (
      .memoryNotEncrypted, .usage,
      "--memory-key is not possible, because the run was started without it; omit it."
    ),
    (
      .memoryKeyWithPictures, .usage,
      "--memory-key and --log tensorboard:pictures exclude each other, because event files are not encrypted; omit one of them."
    ),
    (
      .memoryDirectoryRequired, .usage,
      "--memory-directory is required, because the run keeps its memory on disk."
    ),
    (
      .memoryIsInRAM, .usage,
      "--memory-directory is not possible, because the run keeps its memory in RAM; omit it."
    ),
    (
      .runInUse("runs/a"), .usage,
      "runs/a is in use by another process; wait for it to end, or choose another folder."
    ),
    (
      .forgettingInterrupted("runs/a"), .usage,
      "runs/a contains an interrupted request to forget; run `onepass memory forget` again before resuming."
    ),
    (
      .checkpointOfOtherVersion("runs/a/unfinished/step-00000002", written: "0.1.0", running: "0.2.0"),
      .usage,
      "runs/a/unfinished/step-00000002 was written by onepass 0.1.0, and version 0.2.0 cannot resume it; finish the run with the older version, or start it again in another folder."
    ),
    (
      .noCheckpointToResume(in: "runs/a/unfinished"), .io,
      "runs/a/unfinished contains no checkpoint; omit --resume to start a new run."
    ),
    (
      .runFolderVanished("runs/a/unfinished"), .io,
      "runs/a/unfinished has vanished; restore it, and continue with --resume."
    ),
    (
      .leftoversNotRemoved("runs/a/unfinished"), .io,
      "runs/a/unfinished was left by a finished run and cannot be removed; remove it by hand."
    ),
    (
      .checkpointNotRemoved("runs/a/unfinished/step-00000002", successor: "step-00000002.0001"), .io,
      "runs/a/unfinished/step-00000002 cannot be removed; remove it by hand, since step-00000002.0001 replaces it."
    ),
    (
      .imageMissing(in: "runs/a", example: 7), .badData,
      "runs/a lacks the image of example 7; restore it from a backup."
    ),
    (
      .checkpointFileMissing("runs/a/unfinished/step-00000002/state.json", cause: cause), .badData,
      "runs/a/unfinished/step-00000002/state.json is missing or cannot be read: the checkpoint is damaged."
    ),
    (
      .resumableFrom("step-00000001", removing: ["u/step-00000002", "u/step-00000003"], after: cause),
      .badData,
      "runs/a/ledger is damaged. To resume from step-00000001, remove u/step-00000002 and u/step-00000003."
    ),
    (
      .notResumable("runs/a/unfinished", after: cause), .badData,
      "runs/a/ledger is damaged. No other checkpoint is usable; restore it from a backup. To start over, remove runs/a/unfinished and the memory directory, if there is one."
    ),
    (
      .savedAfter(OnePassError(.io, "The server does not answer.")), .io,
      "The server does not answer. The run is saved; fix the problem, and continue with --resume."
    ),
  ]

  @Test("Messages have their exact text and code", arguments: options + files + runs)
  func messagesHaveTheirTextAndCode(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text && error.code == code)
  }

  /// Other errors cannot be traced without the one below them.
  @Test("Errors keep their cause")
  func errorsKeepTheirCause() {
    let errors: [OnePassError] = [
      .unreadableFile("a", cause: Self.cause), .damagedFile("a", cause: Self.cause), .savedAfter(Self.cause),
      .notResumable("a", after: Self.cause), .outputNotWritten("a", reason: nil, cause: Self.cause),
    ]
    #expect(errors.allSatisfy { ($0.cause as? OnePassError)?.message == Self.cause.message })
  }
}
