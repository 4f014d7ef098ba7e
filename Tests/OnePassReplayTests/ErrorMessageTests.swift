import OnePassCore
import Testing

@testable import OnePassReplay

/// The texts and codes of the errors about the memory on disk and about snapshots.
@Suite("Error messages about memories and their files") struct ErrorMessageTests {
  typealias Example = (error: OnePassError, code: OnePassError.Code, text: String)

  static let archive: [Example] = [
    (
      .folderNotCreated("runs/memory", cause: OnePassError(.io, "Permission denied")), .io,
      "runs/memory cannot be created; check permissions and free disk space."
    ),
    (
      .databaseNotOpened("m/images.sqlite"), .io,
      "m/images.sqlite cannot be opened; free some memory."
    ),
    (
      .databaseVanished("m/images.sqlite"), .io,
      "m/images.sqlite has vanished or was replaced; restore its folder, or mount it again."
    ),
    (
      .databaseInaccessible("m/images.sqlite", reason: "disk I/O error"), .io,
      "m/images.sqlite cannot be read or written (disk I/O error); check permissions and the disk."
    ),
    (
      .databaseInUse("m/images.sqlite"), .usage,
      "m/images.sqlite is in use by another process; wait for it to end, or choose another folder."
    ),
    (
      .diskFull("m/images.sqlite"), .io,
      "m/images.sqlite cannot grow, because the disk is full; free some space."
    ),
    (
      .databaseDamaged("m/images.sqlite", reason: "file is not a database"), .badData,
      "m/images.sqlite is damaged (file is not a database); restore it from a backup, or start a new run."
    ),
    (
      .databaseReturnsNothing("m/images.sqlite", query: "PRAGMA page_size"), .badData,
      "m/images.sqlite is damaged: `PRAGMA page_size` returns nothing."
    ),
    (
      .databaseFailed("m/images.sqlite", reason: "out of memory", code: 7), .engine,
      "m/images.sqlite: SQLite failed with code 7 (out of memory)."
    ),
    (
      .logNotEmptied("m/images.sqlite"), .io,
      "m/images.sqlite: the write-ahead log cannot be emptied; check permissions and the disk."
    ),
    (
      .databaseOfOtherProgram("m/images.sqlite"), .badData,
      "m/images.sqlite is a database of another program; choose another folder."
    ),
    (
      .archiveOfOtherVersion("m/images.sqlite", format: 3, supported: 2), .badData,
      "m/images.sqlite has format 3, and this version reads format 2; use the version of onepass that wrote it."
    ),
    (
      .imageMissing("m/images.sqlite", example: 7), .badData,
      "m/images.sqlite is damaged: it has no image of example 7."
    ),
    (
      .imageDamaged("m/images.sqlite", example: 7), .badData,
      "m/images.sqlite is damaged: the image of example 7 does not match its checksum; restore it from a backup, or remove the example with `onepass memory forget --position 7`."
    ),
    (
      .directoryOccupied("runs/memory"), .usage,
      "runs/memory already contains the memory of a run; continue with --resume, choose another folder, or remove it."
    ),
    (
      .directoryWithoutMemory("runs/memory"), .usage,
      "runs/memory contains no memory, and the run has one on disk; restore it, or start a new run."
    ),
    (
      .noMemoryToRead(in: "runs/memory"), .io,
      "runs/memory contains no memory; pass its folder with --memory-directory."
    ),
    (
      .directoryOfOtherRun("runs/memory"), .usage,
      "runs/memory belongs to another run; pass the folder of this run with --memory-directory."
    ),
  ]

  static let damages: [(damage: SnapshotDamage, text: String)] = [
    (.priority(-1, item: 7), "the priority of item 7 is -1.0"),
    (.lossOrLabel(item: 7), "item 7 has no valid loss or label"),
    (.imageSize(-5, item: 7), "the image of item 7 has -5 bytes"),
    (
      .positionOrDraws(item: 7, draws: -1),
      "item 7 was never offered, or its number of draws is invalid (-1)"
    ),
    (.note(item: 7, expectedBytes: 12), "item 7 does not have a note of 12 bytes"),
    (.image(item: 7, bytes: 90, expectedBytes: 100), "the image of item 7 has 90 bytes instead of 100"),
    (
      .encoding(item: 7), "the bytes of the image of item 7 do not match its encoding"
    ),
    (.duplicateItem, "an item occurs twice"),
    (.counters(items: 5), "its counters do not match its 5 items"),
    (.capacityExceeded(.examples(24)), "it held more than 24 items"),
    (.capacityExceeded(.bytes(4_096)), "it held more than 4096 bytes"),
    (.orderByClass(items: 5), "its order does not group its 5 items by class"),
    (.orderByPriority(items: 5), "its order does not group its 5 items by priority"),
    (.truncatedOrder, "its order is shorter than its recorded length"),
    (
      .unexpectedOrder(selector: "UniformSelector"),
      "it has an order, and its selector UniformSelector keeps none"
    ),
  ]

  static let encryption: [Example] = [
    (
      .encryptionFailed("encrypt"), .engine, "OpenSSL cannot encrypt; check its installation."
    ),
    (
      .keyFileMissing("a.keys"), .io,
      "The key file a.keys does not exist; restore it. Without it, the images of the memory cannot be read."
    ),
    (
      .keyFileInaccessible("a.keys", reason: "Permission denied"), .io,
      "The key file a.keys cannot be read or written (Permission denied)."
    ),
    (
      .keyFileInUse("a.keys"), .usage,
      "The key file a.keys is in use by another process; wait for it to end, or pass another --memory-key."
    ),
    (
      .notKeyFile("a.keys"), .badData, "a.keys is not a key file of OnePass; pass another --memory-key."
    ),
    (
      .imagesOfOtherKey("m/images.sqlite", keyFile: "a.keys"), .usage,
      "The images in m/images.sqlite are encrypted with another key file than a.keys; pass that with --memory-key."
    ),
    (
      .imagesEncrypted("m/images.sqlite"), .usage,
      "The images in m/images.sqlite are encrypted; pass their key file with --memory-key."
    ),
    (
      .imagesNotEncrypted("m/images.sqlite"), .usage,
      "--memory-key is not possible, because the images in m/images.sqlite are not encrypted; omit it."
    ),
    (
      .keyDestroyed("a.keys", example: 7), .badData,
      "The key in a.keys that encrypted the image of example 7 was destroyed; the image cannot be read again."
    ),
    (
      .keyDestroyed("a.keys", example: nil), .badData,
      "The key in a.keys that encrypted an image that was not trained yet was destroyed; the image cannot be read again."
    ),
  ]

  @Test("Messages have their exact text and code", arguments: archive + encryption)
  func messagesHaveTheirTextAndCode(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text && error.code == code)
  }

  @Test("A damaged snapshot is described", arguments: damages)
  func aDamagedSnapshotIsDescribed(damage: SnapshotDamage, text: String) {
    let error = OnePassError.damagedSnapshot(damage)
    #expect(error.message == "The saved memory is damaged: \(text)." && error.code == .badData)
  }
}
