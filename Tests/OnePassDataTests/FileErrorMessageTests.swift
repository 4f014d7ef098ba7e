import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Error messages about files, folders and lists") struct FileErrorMessageTests {
  typealias Case = (error: OnePassError, code: OnePassError.Code, text: String)

  static let files: [Case] = [
    (
      .failed(.open, "a.jpg", errno: ENOENT), .io,
      "a.jpg: cannot open: No such file or directory; check the path."
    ),
    (
      .failed(.list, "photos", errno: EACCES), .io,
      "photos: cannot list: Permission denied; check the disk and the permissions."
    ),
    (
      .failed(.createTemporaryFile, "/tmp", errno: EACCES), .io,
      "/tmp: cannot create a temporary file: Permission denied; name another folder in TMPDIR."
    ),
    (
      .cannotWrite("o.tar", reason: "Write error"), .io,
      "o.tar: cannot write: Write error; check the free space."
    ),
    (
      .fileShrank("a.jpg"), .badData,
      "a.jpg: the file became shorter while it was read; do not change data that is in use."
    ),
    (.noSuchFile("val.txt"), .io, "val.txt: no such file; check the path."),
    (.noSuchFolder("photos"), .io, "photos: no such folder; check the path."),
    (.isNotRegularFile("p.png"), .io, "p.png: is a pipe or a device, not a file; remove it from the data."),
    (
      .isFolder("photos", expected: .list), .usage,
      "photos: is a folder, not a file; pass the text file that lists the images, or use folder:photos."
    ),
    (
      .isFolder("train", expected: .ilsvrc), .usage,
      "train: is a folder, not a file; use folder:train if the archive is unpacked there."
    ),
    (
      .isFolder("photos", expected: .zip), .usage,
      "photos: is a folder, not a file; use folder:photos if its subfolders are the classes."
    ),
    (
      .isFolder("d", expected: .shards), .usage,
      "d: is a folder, not a file; pass the shards in it, for example wds:d/train-{0000..0009}.tar."
    ),
    (
      .isFolder("d", expected: .parquet), .usage,
      "d: is a folder, not a file; pass the .parquet files in it, for example hf:d/train-{00000..00009}.parquet."
    ),
    (
      .lineIsNotUTF8(2, of: "val.txt"), .badData,
      "val.txt:2: not UTF-8 text; use a UTF-8 text file."
    ),
    (
      .pathContainsZero(line: 3, of: "standard input"), .badData,
      "standard input:3: a path cannot contain a zero byte; pass one path per line, or --null for paths that end with one."
    ),
    (
      .lineIsTooLong(1, of: "val.txt", limit: 8_192), .badData,
      "val.txt:1: line longer than 8192 bytes; use a text file with shorter lines."
    ),
    (
      .imageFileIsTooLarge("a.jpg", bytes: 300_000_000, limit: 1 << 28), .badData,
      "a.jpg: 300 MB exceeds the maximum of 268 MB for an image; shrink or remove it."
    ),
    (
      .imageFileIsTooLarge("a.jpg", bytes: 30_000_000, limit: 1 << 24), .badData,
      "a.jpg: 30.0 MB exceeds the maximum of 16.8 MB for an image; raise --decode-memory, or shrink or remove it."
    ),
    (
      .exceedsDecodeMemory("a.zip", "its directory", bytes: 30_000_000, limit: 1 << 24), .badData,
      "a.zip: its directory takes 30.0 MB, but --decode-memory leaves 16.8 MB for a source; raise --decode-memory."
    ),
    (
      .failed(.write, "/data/a.tar", errno: ENOSPC), .io,
      "/data/a.tar: cannot write: No space left on device; free space in /data."
    ),
    (
      .failed(.createTemporaryFile, "/tmp", errno: ENOSPC), .io,
      "/tmp: cannot create a temporary file: No space left on device; free space in /tmp."
    ),
    (
      .fileNamesAreTooLong(in: "photos/cat"), .badData,
      "photos/cat: file names exceed 4 GiB in total; pack the images into shards first."
    ),
  ]

  @Test("A failed call without room for more is reported with the remedy for the free space")
  func noSpaceLeft() {
    let error = OnePassError.failed(.write, "/data/o.tar", errno: ENOSPC)
    #expect(error.code == .io)
    #expect(error.message == "/data/o.tar: cannot write: No space left on device; free space in /data.")
  }

  static let folders: [Case] = [
    (
      .isNotClassRoot("a.jpg"), .badData,
      "a.jpg: not a folder; pass the folder that contains the class folders."
    ),
    (
      .noClassFolders(in: "photos"), .badData,
      "photos: no class folders; put the images of each class into their own subfolder."
    ),
    (
      .foldersAreParts(of: "d", ["test", "train", "val"], "train", "val"), .badData,
      "d: contains parts of a data set (test, train, val) instead of class folders; "
        + "use folder:d/train --eval-data folder:d/val."
    ),
    (
      .foldersAreParts(of: "d", ["test"], nil, "test"), .badData,
      "d: contains parts of a data set (test) instead of class folders; "
        + "use one of them, for example folder:d/test."
    ),
    (
      .unknownClassFolder("photos/dog", known: ["cat", "cow"]), .badData,
      "photos/dog: not one of the 2 expected classes (cat, …); rename or remove the folder."
    ),
    (
      .noImages(inClassFolder: "photos/dog"), .badData,
      "photos/dog: no image files (.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff or .webp); "
        + "add images or remove the folder."
    ),
    (
      .noImages(inFolder: "photos"), .badData,
      "photos: no image files (.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff or .webp); pass another folder."
    ),
  ]

  static let lists: [Case] = [
    (
      .noImagesListed(in: "val.txt"), .badData,
      "val.txt: no images listed; write one line PATH LABEL per image."
    ),
    (
      .listedPathsAreTooLong(in: "val.txt"), .badData,
      "val.txt: paths exceed 4 GiB in total; split the list, or pack the images into shards."
    ),
    (
      .noLabel(onLine: 3, of: "val.txt"), .badData,
      "val.txt:3: no label; write the image's path, a space and its class."
    ),
    (
      .imageNameInPlaceOfLabel("cat.jpg", onLine: 2, of: "val.txt"), .badData,
      "val.txt:2: ends in cat.jpg where a label is expected; write the image's path, a space and its class."
    ),
    (
      .severalListColumns(3, onLine: 2, of: "val.txt"), .badData,
      "val.txt:2: 3 columns, of which the label could be any; keep PATH and LABEL only, "
        + "or add a first line with the names of the columns, such as path and label."
    ),
    (
      .otherListColumns(2, onLine: 3, of: "val.txt", header: 3), .badData,
      "val.txt:3: 2 columns, but the header has 3; correct the line."
    ),
    (
      .listOfCommas(onLine: 1, of: "val.csv"), .badData,
      "val.csv:1: columns separated by commas; "
        + "add a first line with their names, such as path,label, or separate them by tabs."
    ),
    (
      .ambiguousListHeader(["path", "file"], of: "val.csv"), .badData,
      "val.csv: its columns path and file could each be used; rename all but one of them."
    ),
    (
      .labelIsOutOfRange("2", onLine: 3, of: "val.txt", largest: 1), .badData,
      "val.txt:3: label 2 is out of range (0 to 1); correct the label."
    ),
    (
      .unknownLabel("n3", onLine: 2, of: "val.txt", known: ["n1", "n2"]), .badData,
      "val.txt:2: label \"n3\" is not one of the 2 expected classes (n1, …); correct or remove the line."
    ),
  ]

  static let binaryFiles: [Case] = [
    (
      .isNotIDX("t.idx"), .badData,
      "t.idx: not an idx file of unsigned bytes with 1 to 4 dimensions; download it again."
    ),
    (
      .idxSizeDiffers("t.idx", bytes: 47, expected: 46, dimensions: [5, 3, 2]), .badData,
      "t.idx: 47 bytes, but its header (5 x 3 x 2) requires 46; download it again."
    ),
    (
      .damagedGzip("t.gz", reason: "crc error"), .badData,
      "t.gz: truncated or corrupt (crc error); download it again."
    ),
    (
      .gzipExceedsIDXHeader("t.gz"), .badData,
      "t.gz: truncated or corrupt (its contents do not match their idx header); download it again."
    ),
    (
      .idxHoldsNoImageShape("t.idx", dimensions: 2), .badData,
      "t.idx: 2 dimensions; images need N x H x W, or N x H x W x 3 for colour."
    ),
    (.idxIsEmpty("t.idx"), .badData, "t.idx: no images; download it again."),
    (
      .idxCountsDiffer(images: 5, in: "i.idx", labels: 3, in: "l.idx"), .badData,
      "i.idx: 5 images, but 3 labels in l.idx; use two files that belong together."
    ),
    (
      .noIDXFile(named: "train-images-idx3-ubyte", in: "mnist"), .io,
      "mnist: no train-images-idx3-ubyte (or .gz); put the idx files into the folder under these names."
    ),
    (
      .cifarSizeIsOdd("test_batch.bin", bytes: 3_072, recordBytes: 3_073), .badData,
      "test_batch.bin: 3072 bytes, which is not a multiple of the record size (3073 bytes); download it again."
    ),
    (
      .cifarLabelIsOutOfRange(10, record: 0, of: "test_batch.bin", classCount: 10), .badData,
      "test_batch.bin: record 0 has label 10, but CIFAR-10 has 10 classes; download it again."
    ),
    (
      .cifarIsPickled(in: "c"), .badData,
      "c: the Python version of CIFAR (pickled) is not supported; download the binary version."
    ),
    (
      .noCIFARFiles(in: "c"), .io,
      "c: no data_batch_1.bin (CIFAR-10) or train.bin (CIFAR-100); "
        + "pass the folder from the archive of the binary version."
    ),
    (
      .cifarNamesDiffer("batches.meta.txt", names: 2, expected: 10), .badData,
      "batches.meta.txt: 2 class names instead of 10; download it again."
    ),
  ]

  @Test(
    "An error starts with the file and ends with the remedy",
    arguments: files + folders + lists + binaryFiles)
  func message(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }
}
