import OnePassCore
import Testing

@testable import OnePassData

/// The texts and codes of the errors about sources, options and packing. Those about files, archives and images are in
/// `FileErrorMessageTests`, `ArchiveErrorMessageTests` and `ImageErrorMessageTests`.
@Suite("Error messages about sources, options and packing") struct ErrorMessageTests {
  typealias Case = (error: OnePassError, code: OnePassError.Code, text: String)

  /// An error that another one wraps.
  struct Cause: Error, CustomStringConvertible { let description = "the lens is dirty" }

  static let specifications: [Case] = [
    (
      .unknownSource("a.bin", exists: true, forms: ["idx:DIR (idx files)"]), .usage,
      "\"a.bin\": unknown data source; its name does not state its kind; use one of: idx:DIR (idx files)."
    ),
    (
      .unknownSource(
        "mnist", exists: false, forms: ["idx:DIR (idx files)", "folder:DIR (class folders)"]), .usage,
      "\"mnist\": unknown data source; no file or folder has this name; use one of: idx:DIR (idx files), folder:DIR (class folders)."
    ),
    (
      .noArgument("folder", form: "folder:DIR, where DIR has one folder per class"), .usage,
      "folder: does not name the data; write folder:DIR, where DIR has one folder per class."
    ),
    (
      .unknownFashionMNISTPart("fashion-mnist:train"), .usage,
      "fashion-mnist:train: unknown split; use fashion-mnist or fashion-mnist:test."
    ),
    (
      .noFashionMNIST(in: "/data/fashion", variable: "ONEPASS_FASHION_MNIST"), .io,
      "/data/fashion: Fashion-MNIST not found; install it (apt-get install dataset-fashion-mnist), "
        + "set ONEPASS_FASHION_MNIST to its folder, or use idx:DIR."
    ),
    (
      .impossibleSynthetic("synthetic:10:0:2", form: "synthetic:COUNT:SIZE:CLASSES"), .usage,
      "synthetic:10:0:2: out of range; write synthetic:COUNT:SIZE:CLASSES, with 1 to 4096 pixels a side "
        + "and 2 to 65535 classes."
    ),
  ]

  static let classes: [Case] = [
    (
      .classNamesDiffer(in: "wds:t.tar", found: ["ant", "bee", "cat"], expected: ["ant", "cow"]), .badData,
      "wds:t.tar: its 3 classes differ from the 2 classes expected (\"bee\" is not \"cow\"); "
        + "use data with the same classes in the same order."
    ),
    (
      .classNamesDiffer(in: "wds:t.tar", found: ["ant", "bee"], expected: ["ant", "bee", "cow"]), .badData,
      "wds:t.tar: its 2 classes differ from the 3 classes expected; use data with the same classes in the same order."
    ),
    (
      .classCountDiffers(in: "cifar:c", found: 10, expected: 2), .badData,
      "cifar:c: 10 classes, but 2 are expected; use data with the same classes."
    ),
    (
      .labelIsOutOfRange(3, example: 7, in: "idx:x", classCount: 3), .badData,
      "idx:x: example 7 has label 3, but there are 3 classes (0 to 2); correct the label or the number of classes."
    ),
    (
      .labelKeyNotApplicable(.folder, to: "hf:https://u:p@h/x?key=y"), .usage,
      "--label-key folder: only WebDataset samples (wds:) have several places for a label; "
        + "omit the option for hf:https://h/x?…."
    ),
    (
      .labelKeyNeedsClassNames(.folder, of: "wds:-"), .usage,
      "--label-key folder: the classes of wds:- cannot be found in advance; "
        + "pass --classes FILE with one class name per line."
    ),
    (
      .noSubjects(in: "idx:x", for: .stem), .usage,
      "--subject-key stem: the examples of idx:x have no subject; omit the option."
    ),
    (
      .noMetadataField(in: "folder:f", for: .field("person")), .usage,
      "--subject-key json:person: only WebDataset samples have fields; use folder or stem for folder:f."
    ),
  ]

  static let streams: [Case] = [
    (
      .cannotResume("wds:t.tar", at: 11, of: 10), .badData,
      "wds:t.tar: cannot resume at example 11 of a stream of 10; resume with the same data as before."
    ),
    (
      .shuffleBufferDiffers(saved: 3, resumed: 4), .badData,
      "The checkpoint is damaged: its shuffle buffer was saved at example 3, but the run resumes at 4; "
        + "use another checkpoint."
    ),
    (
      .lengthIsUnknown(of: "camera"), .usage,
      "camera: the number of examples and the classes are not known in advance; use a source that states them, "
        + "such as shards written by onepass pack."
    ),
    (
      .lengthIsUnknown(ofStandardInput: "wds:-"), .usage,
      "wds:- (standard input): the number of examples and the classes are not known in advance; save the stream to a file, "
        + "or use shards with an index (onepass pack writes both)."
    ),
    (
      .lengthIsUnknown(ofRemote: "wds:https://h/t.tar"), .usage,
      "wds:https://h/t.tar: the number of examples and the classes are not known in advance; put the index that onepass pack writes "
        + "beside the shards, which are not read twice."
    ),
    (
      .streamFailed("camera", after: 2, cause: Cause()), .io,
      "camera: failed after 2 examples: the lens is dirty; resume from the last checkpoint."
    ),
    (
      .streamFailed("camera", after: 1, cause: Cause()), .io,
      "camera: failed after 1 example: the lens is dirty; resume from the last checkpoint."
    ),
    (
      .awaitedInTask("camera"), .usage,
      "camera: next() was called inside a task, where it can block the tasks that produce the examples; "
        + "train on a dedicated thread, as onTrainingThread does."
    ),
  ]

  static let options: [Case] = [
    (
      .isNoShuffleBufferSize("10%"), .usage,
      "--shuffle-buffer must be a number of examples (10000) or of bytes (500MB) (got 10%)."
    ),
    (
      .isNoDecodeBudget("5"), .usage,
      "--decode-memory must be a number of bytes with its unit, at least 1MB (got 5)."
    ),
    (
      .isNoShuffleBufferSize(""), .usage,
      "--shuffle-buffer must be a number of examples (10000) or of bytes (500MB) (got an empty value)."
    ),
    (
      .shuffleBufferIsOutOfRange(.examples(1)), .usage,
      "--shuffle-buffer must be 2 to 4294967296 examples, or at least 1 byte (got 1)."
    ),
    (.imageSizeIsOutOfRange(5_000), .usage, "The image size must be between 1 and 4096 pixels (got 5000)."),
    (
      .unknownAugmentation("blur", standard: "standard", known: ["rand", "trivial", "cut-out"]), .usage,
      "--augmentation must be standard, or one or more of rand, trivial, cut-out, separated by commas (got blur)."
    ),
    (
      .standardAmongAugmentations("standard,rand", standard: "standard"), .usage,
      "--augmentation standard,rand: standard is crop and flip only; omit it or use it alone."
    ),
    (
      .repeatedAugmentation("rand,rand"), .usage,
      "--augmentation rand,rand: a name is repeated; use each once."
    ),
    (
      .exclusiveAugmentations("rand,trivial", [.rand, .trivial]), .usage,
      "--augmentation rand,trivial: rand and trivial exclude each other; use one of them."
    ),
  ]

  static let packing: [Case] = [
    (
      .unknownShardExtension("out.zip"), .usage,
      "out.zip: unknown extension; use .tar, .tar.gz, .tgz or .tar.zst."
    ),
    (.nothingToPack(in: "wds:t.tar"), .badData, "wds:t.tar: no examples to pack; check the data."),
    (
      .tooFewExamples(3, forShards: 4, of: "o-{0..3}.tar"), .usage,
      "o-{0..3}.tar: 4 shards, but only 3 examples; name fewer shards."
    ),
    (
      .tooFewExamples(1, forShards: 2, of: "o-{0..1}.tar"), .usage,
      "o-{0..1}.tar: 2 shards, but only 1 example; name fewer shards."
    ),
    (
      .cannotCreateFolder("shards/", cause: Cause()), .io,
      "shards/: cannot create the folder for the shards; choose another output."
    ),
    (
      .outputIsBeingWritten("o.json.partial"), .io,
      "o.json.partial: another process writes these shards; wait for it, or choose another output."
    ),
    (
      .negativeLabel(-1, example: 7), .badData,
      "Example 7 has label -1, which is not a class; remove the examples without a label."
    ),
    (
      .strayLabel("999999", at: "x.tar: sample 30", indices: 0...2), .badData,
      "x.tar: sample 30: label 999999 is far from the other labels (0 to 2); correct it, or pass --classes N or a file of class names."
    ),
    (
      .ambiguousUserInfo("http://me:1/secret@h/x"), .usage,
      "http://h/x: an @ follows the host and its port; percent-encode /, ? and # in the password, or the @ in the path (%40)."
    ),
    (
      .urlOfLocalSource("folder:https://h/x?secret", kind: "folder"), .usage,
      "folder:https://h/x?…: folder: reads local files only; use wds: or hf: for a URL."
    ),
    (
      .urlOfList("https://h/l?secret"), .usage,
      "@https://h/l?…: a list must be a local file; download it first."
    ),
    (
      .noSourceInEnvironment("STREAM"), .usage,
      "env:STREAM: the environment variable STREAM is not set to a source; export it."
    ),
    (.outputExists("o-1.tar"), .usage, "o-1.tar: already exists; remove it or choose another output."),
    (
      .outputRepeatsShard("o{,}.tar"), .usage,
      "--output o{,}.tar contains the same shard twice; list each shard once."
    ),
    (
      .labelExceedsShard(9_999_999_999, example: 5), .badData,
      "Example 5: label 9999999999 does not fit into 32 bits; correct it."
    ),
  ]

  @Test(
    "An error names the source, option or file, the value and the remedy",
    arguments: specifications + classes + streams + options + packing)
  func message(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }

  @Test("An error keeps its cause")
  func causes() {
    #expect(OnePassError.streamFailed("camera", after: 2, cause: Cause()).cause is Cause)
    #expect(OnePassError.cannotCreateFolder("shards/", cause: Cause()).cause is Cause)
    #expect(OnePassError.damagedIndex("t.json", cause: Cause()).cause is Cause)
  }
}
