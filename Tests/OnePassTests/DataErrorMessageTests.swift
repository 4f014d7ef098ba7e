import OnePassCore
import Testing

@testable import OnePass

/// The texts and codes of the errors about streams, models, logs and kept images.
@Suite("Error messages about data and models") struct DataErrorMessageTests {
  typealias Example = ErrorMessageTests.Example

  static let cause = OnePassError(.badData, "The file is neither JPEG nor PNG.")

  static let streams: [Example] = [
    (
      .shuffleBufferNotNeeded("fashion-mnist"), .usage,
      "--shuffle-buffer is not needed, because fashion-mnist is already in random order; omit it."
    ),
    (
      .orderSeedWithoutEffect("camera"), .usage,
      "--order-seed has no effect on camera, which sets its own order; omit it, or pass --shuffle-buffer N."
    ),
    (
      .noExamples(in: "folder:photos"), .badData,
      "folder:photos contains no examples; check the path and the names of its files."
    ),
    (
      .streamLengthUnknown("camera"), .usage, "camera does not report its length; pass --limit."
    ),
    (
      .streamNotCountable("wds:-", needsLimit: true, needsClasses: true, cause: cause), .usage,
      "wds:- cannot be read in advance; pass --limit with the number of examples and --classes with the number of classes."
    ),
    (
      .streamNotCountable("wds:-", needsLimit: false, needsClasses: true, cause: cause), .usage,
      "wds:- cannot be read in advance; pass --classes with the number of classes."
    ),
    (
      .tooFewClasses(1, in: "folder:photos"), .badData,
      "folder:photos has 1 class, and a classifier needs at least 2; pass --classes if there are more."
    ),
    (
      .tooFewClasses(0, in: "folder:photos"), .badData,
      "folder:photos has 0 classes, and a classifier needs at least 2; pass --classes if there are more."
    ),
    (
      .exampleDiffers(7, of: "wds:-"), .badData,
      "wds:- does not match the ledger: example 7 differs; pass the same stream again, from its start."
    ),
    (
      .exampleDiffers(7, of: "folder:zoo", location: "zoo/cat/1.png"), .badData,
      "folder:zoo does not match the ledger: example 7 (zoo/cat/1.png) differs; pass the same stream again, from its start."
    ),
    (
      .classesDiffer(in: "folder:zoo", new: ["zebra"], missing: ["cat"]), .badData,
      "folder:zoo has other classes than the run (new: zebra; missing: cat); resume with the same data."
    ),
    (
      .classesDiffer(in: "folder:zoo", new: [], missing: []), .badData,
      "folder:zoo has other classes than the run (the same names in another order); resume with the same data."
    ),
    (
      .filesDiffer(in: "folder:zoo"), .badData,
      "folder:zoo has other files than at the start of the run, and several passes have no ledger to compare them with; "
        + "resume with the same data."
    ),
    (
      .dataOfSeveralSources("runs/a"), .usage,
      "--data is not possible, because the stream of runs/a continued with another source; omit it."
    ),
    (
      .classNamesWithoutNumbers(["ant", "bee", "cat", "dog"], in: "folder:zoo"), .badData,
      "folder:zoo names its classes (ant, bee, cat, …), and the model only numbers them; "
        + "pass --classes FILE with the names in the order of the numbers."
    ),
    (
      .modelHasClassNames(), .usage, "--classes has no effect, because the model has class names; omit it."
    ),
    (
      .classNameCountDiffers(3, of: 10), .usage,
      "--classes has 3 names, and the model has 10 classes; pass one name for each."
    ),
    (
      .unexpectedExample(8, insteadOf: 7, from: "camera"), .badData,
      "camera delivered example 8 instead of 7; a source must deliver each example once, in the order of positions."
    ),
    (
      .streamLengthDiffers("folder:photos", 310, before: 300), .badData,
      "folder:photos has 310 examples, and the run was started with 300; resume with the same data."
    ),
    (
      .tooManyBrokenImages(
        40, of: 160, in: "folder:photos", limit: 0.1, first: "photos/a.jpg. The image is too large."),
      .badData,
      "folder:photos has 40 broken images among the first 160, more than --broken-limit 0.1 allows. The first is photos/a.jpg. The image is too large."
    ),
    (
      .tooManyBrokenImages(40, of: 160, in: "folder:photos", limit: 0.1, first: nil), .badData,
      "folder:photos has 40 broken images among the first 160, more than --broken-limit 0.1 allows."
    ),
    (
      .noDecodableImages(amongFirst: 16, of: "folder:photos", reason: "The file is empty."), .badData,
      "folder:photos has no image among its first 16 that can be decoded. The file is empty."
    ),
    (
      .noDecodableImages(amongFirst: 16, of: "folder:photos", reason: nil), .badData,
      "folder:photos has no image among its first 16 that can be decoded."
    ),
    (.undecodableImage(reason: "The file is empty."), .badData, "The file is empty."),
    (
      .undecodableImage("Image 3", cause: cause), .badData,
      "Image 3 cannot be decoded. The file is neither JPEG nor PNG."
    ),
  ]

  static let models: [Example] = [
    (
      .customModelMissing("tiny", other: nil), .usage,
      "The model tiny is a custom kind; load it in the program that trained it."
    ),
    (
      .customModelMissing("tiny", other: "small"), .usage,
      "The model tiny is a custom kind (got small); load it in the program that trained it."
    ),
    (
      .evaluationDiverged(on: "fashion-mnist:test"), .engine,
      "The loss on fashion-mnist:test is not a finite number, because the model diverged; train with a lower --learning-rate."
    ),
    (
      .predictionNotFinite("a.jpg"), .engine,
      "The prediction for a.jpg is not a finite number, because the model diverged; train with a lower --learning-rate."
    ),
    (
      .classUnknownToModel("lion", in: "folder:zoo", known: ["cat", "dog"]), .badData,
      "folder:zoo: class lion is not one of the model's 2 classes (cat, dog); rename or remove it."
    ),
    (
      .classUnknownToModel("lion", in: "folder:zoo", known: ["ant", "bee", "cat", "dog"]), .badData,
      "folder:zoo: class lion is not one of the model's 4 classes (ant, bee, cat, …); rename or remove it."
    ),
    (
      .classNumbersAreNotLabels([1, 10, 2], of: 10, in: "folder:v2"), .badData,
      "folder:v2: class 10 is not a label of the model, which has 10 classes without names; name the classes by their labels, from 0."
    ),
    (
      .weightsOfUnfinishedRun("runs/a"), .io,
      "--initialise runs/a is an unfinished run; finish it with --resume, or pass a safetensors file."
    ),
    (
      .noWeights(in: "photos"), .io,
      "--initialise photos contains no weights; pass a safetensors file, or the folder of a finished run."
    ),
    (
      .weightsDoNotFit("a.safetensors", model: "resnet18", misfit: "lack conv1.weight"), .badData,
      "--initialise a.safetensors does not fit the model resnet18: its weights lack conv1.weight; pass weights with torchvision's parameter names."
    ),
    (
      .weightsNotFinite("a.safetensors", tensor: "fc.bias"), .badData,
      "--initialise a.safetensors has values in fc.bias that are not finite; pass other weights."
    ),
    (
      .weightsWithBlurPool("runs/a"), .usage,
      "--initialise runs/a was trained with --blur-pool; pass --blur-pool."
    ),
    (
      .weightsOfOtherModel("runs/a", found: "resnet8", model: "resnet20"), .usage,
      "--initialise runs/a contains weights of resnet8, and the model is resnet20; pass --model resnet8."
    ),
    (
      .weightsOfOtherChannels("runs/a", channels: 1, imageChannels: 3), .usage,
      "--initialise runs/a takes images with 1 channel, and the run's images have 3; pass --channels 1."
    ),
    (
      .weightsOfOtherChannels("runs/a", channels: 3, imageChannels: 1), .usage,
      "--initialise runs/a takes images with 3 channels, and the run's images have 1; pass --channels 3."
    ),
    (
      .weightsOfOtherStem("runs/a", kernel: (7, 7), modelKernel: (3, 3), stem: "imagenet"), .usage,
      "--initialise runs/a starts with a 7 x 7 convolution, and the model with 3 x 3; pass --stem imagenet."
    ),
    (
      .pickledWeights("a.pth", conversion: ["import torch", "print(1)"]), .badData,
      "--initialise a.pth is a pickle file of PyTorch, which can run any code when it is loaded; convert it to safetensors in Python:\n  import torch\n  print(1)"
    ),
  ]

  static let records: [Example] = [
    (
      .noLedger(in: "runs/a", isMultiEpoch: true), .io,
      "runs/a has no ledger, because multi-epoch training keeps all data."
    ),
    (
      .noLedger(in: "runs/a", isMultiEpoch: false), .io,
      "runs/a has no ledger, because an earlier version of onepass trained the run."
    ),
    (
      .logRepeated(["jsonl", "jsonl"]), .usage,
      "--log jsonl --log jsonl repeats a destination; pass each once."
    ),
    (
      .noLogAmongOthers, .usage,
      "--log none cannot be combined with other logs; pass it alone, or omit it."
    ),
    (
      .unknownLog("csv", known: ["tensorboard", "jsonl"]), .usage,
      "--log csv is unknown; use tensorboard, jsonl or none."
    ),
    (
      .inaccessibleEventFile("runs/a/tensorboard", cause: cause), .io,
      "runs/a/tensorboard cannot be read or changed; check its permissions and the disk."
    ),
    (
      .noKeptImages(in: "runs/a/checkpoint", .outlivedByTimeToLive), .io,
      "runs/a/checkpoint has no copies of images of the memory; they would outlive its --time-to-live."
    ),
    (
      .noKeptImages(in: "runs/a/checkpoint", .removed), .io,
      "runs/a/checkpoint has no copies of images of the memory; its folder `pictures` was removed."
    ),
    (
      .noKeptImages(in: "runs/a/checkpoint", .notRequested), .io,
      "runs/a/checkpoint has no copies of images of the memory; train with --keep-pictures N to keep some."
    ),
    (
      .damagedKeptImages("runs/a/checkpoint/pictures", cause: cause), .badData,
      "runs/a/checkpoint/pictures is damaged; remove this folder, which only `onepass memory inspect` reads."
    ),
  ]

  @Test("Messages have their exact text and code", arguments: streams + models + records)
  func messagesHaveTheirTextAndCode(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text && error.code == code)
  }
}
