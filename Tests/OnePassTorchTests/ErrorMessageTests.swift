import OnePassCore
import Testing

@testable import OnePassTorch

/// An error whose text does not matter here.
private struct Cause: Error {}

@Suite("Error messages of OnePassTorch") struct ErrorMessageTests {
  static let engine: [(error: OnePassError, code: OnePassError.Code, text: String)] = [
    (.libtorchFailed("conv2d", "sizes differ"), .engine, "libtorch failed in conv2d: sizes differ"),
    (
      .libtorchMissing("libOnePassEngine.so is neither in /bin nor in /lib/onepass"), .unavailable,
      "libtorch cannot be loaded: libOnePassEngine.so is neither in /bin nor in /lib/onepass; build OnePass with make build or "
        + "swift build, or install it again."
    ),
    (.libtorchReturnedNothing("Tensor.init"), .engine, "libtorch returned no result from Tensor.init."),
    (
      .outOfMemory("conv2d", "no memory for 64 bytes"), .engine,
      "Out of memory in conv2d (no memory for 64 bytes); use a smaller batch or a smaller model."
    ),
    (
      .deviceUnavailable("the CUDA driver found no device"), .usage,
      "The requested device is unavailable: the CUDA driver found no device; use --device cpu or auto."
    ),
    (
      .deviceUnavailable("cuda:1", "the CUDA driver found no device"), .usage,
      "--device cuda:1 is unavailable: the CUDA driver found no device; use cpu or auto."
    ),
    (
      .deviceMissing("cuda:1", count: 1), .usage,
      "--device cuda:1 does not exist; this machine has only cuda:0."
    ),
    (
      .deviceMissing("cuda:4", count: 4), .usage,
      "--device cuda:4 does not exist; this machine has cuda:0 to cuda:3."
    ),
    (
      .unknownDevice("gpu"), .usage,
      "--device must be auto, cpu, cuda or cuda:N, for example cuda:1 (got gpu)."
    ),
    (.unknownKernels("fast"), .usage, "ONEPASS_KERNELS must be own or libtorch (got fast)."),
    (.threadCountOutOfRange(0, 1...4096), .usage, "--threads must be between 1 and 4096 (got 0)."),
  ]

  static let training: [(error: OnePassError, code: OnePassError.Code, text: String)] = [
    (.momentumOutOfRange(1), .usage, "--momentum must be at least 0 and below 1 (got 1.0)."),
    (.weightDecayOutOfRange(-0.5), .usage, "The weight decay must be at least 0 and finite (got -0.5)."),
    (.weightAverageOutOfRange(1.5), .usage, "--weight-average must be at least 0 and below 1 (got 1.5)."),
    (
      .notAMatrix("fc.bias", shape: [10]), .usage,
      "Muon requires matrices or convolution filters (got fc.bias with shape [10]); use SGD for this parameter."
    ),
  ]

  static let files: [(error: OnePassError, code: OnePassError.Code, text: String)] = [
    (
      .cannotOpenWeights("w.safetensors", cause: Cause()), .io,
      "w.safetensors: cannot be opened; check that it exists and is readable."
    ),
    (
      .cannotReadWeights("w.safetensors", cause: Cause()), .io,
      "w.safetensors: cannot be read; check that it is a file and readable."
    ),
    (
      .cannotWriteWeights("w.safetensors", cause: Cause()), .io,
      "w.safetensors: cannot be written; check that its folder exists and has free space."
    ),
    (
      .invalidSafetensors("w.safetensors", .tooShort(bytes: 7)), .badData,
      "w.safetensors: not a valid safetensors file (it has only 7 bytes); download it or save it again."
    ),
    (
      .weightsDoNotFit("lack fc.bias"), .badData,
      "The saved weights do not fit this model: they lack fc.bias; "
        + "use the model, classes and channels with which they were saved."
    ),
  ]

  @Test(
    "A failure is reported with the option or file, the value and the remedy",
    arguments: engine + training + files)
  func failure(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }

  static let defects: [(SafetensorsHeader.Defect, String)] = [
    (.invalidHeader, "its header is not the JSON that the format defines"),
    (.truncated, "it ended while it was read"),
    (.impossibleHeaderLength(1 << 63), "its first 8 bytes declare a header of 9223372036854775808 bytes"),
    (.unexpectedEntry("a"), "the header entry a is neither a tensor nor metadata"),
    (.gapOrOverlap("b"), "the tensor b does not start at the end of the previous one"),
    (
      .wrongDataLength(described: 8, actual: 4),
      "its header describes 8 bytes of tensors, but 4 bytes follow it"
    ),
    (
      .unsupportedType("a", type: "I32", supported: ["F32", "I64"]),
      "the tensor a has the type I32; supported types: F32, I64"
    ),
    (.impossibleShape("a", [-1]), "the tensor a has the impossible shape [-1]"),
    (.wrongOffsets("a", size: 8, [0, 4]), "the tensor a of 8 bytes has the offsets [0, 4]"),
  ]

  @Test("A defect of a safetensors file is reported with the tensor and the value", arguments: defects)
  func defect(_ defect: SafetensorsHeader.Defect, text: String) { #expect(defect.text == text) }
}
