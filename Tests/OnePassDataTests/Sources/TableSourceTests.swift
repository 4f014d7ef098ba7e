import Foundation
import OnePassCore
import OnePassData
import TestSupport
import Testing

@Suite("The registry of sources") struct RegistryTests {
  @Test("An unknown kind is refused, and the known ones are listed")
  func unknownKindListsTheKinds() {
    for specification in ["photos", "", ":x", "FOLDER:x"] {
      expectError(
        .usage, naming: ["fashion-mnist[:test]", "idx:DIR[:test]", "folder:DIR", "list:FILE", "wds:DIR/"]
      ) {
        _ = try SourceRegistry.open(specification, seed: 1)
      }
    }
  }

  @Test(
    "A missing argument is explained",
    arguments: [
      "idx", "idx:", "synthetic", "synthetic:", "folder", "folder:", "list", "list:", "wds", "wds:", "zip",
      "zip:",
      "ilsvrc:", "cifar:", "hf", "hf:",
    ])
  func missingArgumentIsExplained(_ specification: String) {
    expectError(.usage, naming: ["\(specification): does not name the data"]) {
      _ = try SourceRegistry.open(specification, seed: 1)
    }
  }

  @Test(
    "A missing path is an input error",
    arguments: [
      "idx:/nowhere", "folder:/nowhere", "list:/nowhere", "wds:/nowhere/{0..3}.tar", "idx:/nowhere:test",
    ])
  func missingPathIsAnInputError(_ specification: String) {
    expectError(.io, naming: ["/nowhere"]) { _ = try SourceRegistry.open(specification, seed: 1) }
  }

  @Test("Labels are checked against the classes")
  func labelsAreCheckedAgainstTheClasses() throws {
    let image = EncodedImage(bytes: [])
    try checkLabel(of: Example(id: 7, label: 2, image: image), classCount: 3, in: "idx:x")
    for label in [3, -1, Int.max] {
      expectError(.badData, naming: ["idx:x: example 7 has label \(label),", "3 classes"]) {
        try checkLabel(of: Example(id: 7, label: label, image: image), classCount: 3, in: "idx:x")
      }
    }
  }
}

@Suite("The synthetic source") struct SyntheticTests {
  @Test("The synthetic source conforms to the requirements of a source")
  func conforms() throws {
    try checkConformance(count: 9, isShuffled: true) { try SourceRegistry.open("synthetic:9:5:3", seed: $0) }
  }

  @Test("Classes differ in brightness")
  func classesDifferInBrightness() throws {
    let table = SyntheticTable(count: 6, size: 40, classCount: 3)
    for row in 0..<6 {
      let bytes = table.image(at: row).bytes
      #expect(
        bytes.count == 4_800 && table.image(at: row).encoding == .pixels(width: 40, height: 40, channels: 3))
      // Uniform noise of 0 … 127: the mean of 4,800 values is within 5 standard errors of 37 / √4800.
      let mean = Double(bytes.reduce(0) { $0 + Int($1) }) / 4_800
      #expect(abs(mean - 63.5 - [0, 63, 127][row % 3]) < 5 * 37 / 4_800.0.squareRoot())
    }
    #expect(table.image(at: 0).bytes != table.image(at: 3).bytes)
  }

  @Test(
    "Impossible sizes are refused",
    arguments: ["9", "9:5", "0:5:3", "9:0:3", "9:5:1", "9:5:x", "9:5:3:1", "-1:5:3", "9:99999:3"])
  func impossibleOnesAreRefused(_ argument: String) {
    expectError(.usage, naming: ["synthetic:\(argument)", "synthetic:COUNT:SIZE:CLASSES"]) {
      _ = try SourceRegistry.open("synthetic:\(argument)", seed: 1)
    }
  }
}

@Suite("idx files") struct IDXTests {
  /// Five grey images of 3 x 2 whose bytes are 0, 1, 2, …
  private func grey(in folder: TemporaryFolder, labels: [UInt8] = [4, 0, 2, 2, 1]) throws {
    try folder.write("train-images-idx3-ubyte", idxBytes([5, 2, 3], Array(0..<30)))
    try folder.write("train-labels-idx1-ubyte", idxBytes([labels.count], labels))
  }

  @Test("idx files conform to the requirements of a source")
  func conforms() throws {
    let folder = try TemporaryFolder()
    try grey(in: folder)
    try checkConformance(count: 5, isShuffled: true) {
      try SourceRegistry.open("idx:\(folder.path)", seed: $0)
    }
    try checkConformance(count: 4, isShuffled: true) {
      LimitedSource.first(4, of: try SourceRegistry.open("idx:\(folder.path)", seed: $0 + 10))
    }
  }

  @Test("Images, labels and classes are read")
  func readsImagesLabelsAndClasses() throws {
    let folder = try TemporaryFolder()
    try grey(in: folder)
    let table = try IDXTable(folder.path)
    #expect(table.count == 5)
    #expect(table.classCount == 5)
    #expect((0..<5).map(table.label) == [4, 0, 2, 2, 1])
    let image = try table.image(at: 3)
    #expect(image == EncodedImage(bytes: Array(18..<24), encoding: .pixels(width: 3, height: 2, channels: 1)))
  }

  @Test("Colour test files are read")
  func readsColourTestFiles() throws {
    let folder = try TemporaryFolder()
    try folder.write("t10k-images-idx4-ubyte", idxBytes([2, 1, 2, 3], Array(0..<12)))
    try folder.write("t10k-labels-idx1-ubyte", idxBytes([2], [1, 0]))
    let table = try IDXTable(folder.path, test: true)
    #expect(
      try table.image(at: 1)
        == EncodedImage(bytes: Array(6..<12), encoding: .pixels(width: 2, height: 1, channels: 3)))
    expectError(.io, naming: ["train-images-idx3-ubyte"]) { _ = try IDXTable(folder.path) }
  }

  @Test("Incomplete files are refused")
  func refusesFilesThatAreNotWhole() throws {
    let folder = try TemporaryFolder()
    let images = idxBytes([5, 2, 3], Array(0..<30))
    for length in [0, 3, 4, 15, 16, 45] {
      try grey(in: folder)
      try folder.write("train-images-idx3-ubyte", Array(images.prefix(length)))
      expectError(.badData, naming: ["train-images-idx3-ubyte"]) { _ = try IDXTable(folder.path) }
    }
    try folder.write("train-images-idx3-ubyte", images + [0])
    expectError(.badData, naming: ["47 bytes", "requires 46"]) { _ = try IDXTable(folder.path) }
    try folder.write("train-images-idx3-ubyte", [0, 0, 8, 4] + [UInt8](repeating: 0xFF, count: 16))
    expectError(.badData, naming: ["not an idx file"]) { _ = try IDXTable(folder.path) }
  }

  @Test("Different numbers of images and labels are refused")
  func refusesLabelsOfAnotherCount() throws {
    let folder = try TemporaryFolder()
    try grey(in: folder, labels: [0, 1, 2])
    expectError(.badData, naming: ["5 images", "3 labels"]) { _ = try IDXTable(folder.path) }
  }

  private static let folder = "/usr/share/datasets/fashion-mnist"
  static let hasFashionMNIST = FileManager.default.fileExists(atPath: folder)
  static let withoutFashionMNIST = "Fashion-MNIST is not in \(folder)."

  /// The known facts of Fashion-MNIST (Xiao et al. 2017): sizes, and 6,000 and 1,000 images of each class.
  @Test(
    "Fashion-MNIST has its known sizes", .enabled(if: hasFashionMNIST, "\(withoutFashionMNIST)"),
    arguments: [("fashion-mnist", 60_000), ("fashion-mnist:test", 10_000)])
  func fashionMNIST(specification: String, count: Int) throws {
    let source = try #require(try SourceRegistry.open(specification, seed: 1) as? ShuffledSource)
    #expect(source.count == count)
    #expect(source.classNames?.count == 10)
    var counts = [Int](repeating: 0, count: 10)
    for row in 0..<count { counts[source.table.label(at: row)] += 1 }
    #expect(counts == [Int](repeating: count / 10, count: 10))
    #expect(try source.example(at: 0).image.bytes.count == 784)
  }

  @Test("Truncated gzip files are refused", .enabled(if: hasFashionMNIST, "\(withoutFashionMNIST)"))
  func refusesTruncatedGzip() throws {
    let folder = try TemporaryFolder()
    let original = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"
    let whole = try contents(of: original)
    try folder.write(
      "t10k-images-idx3-ubyte", idxBytes([10_000, 1, 1], [UInt8](repeating: 0, count: 10_000)))
    for length in [0, 1, 10, 100, whole.count / 2, whole.count - 9] {
      try folder.write("t10k-labels-idx1-ubyte.gz", Array(whole.prefix(length)))
      expectError(.badData, naming: ["t10k-labels-idx1-ubyte.gz"]) {
        _ = try IDXTable(folder.path, test: true)
      }
    }
    try folder.write("t10k-labels-idx1-ubyte.gz", whole)
    #expect(try IDXTable(folder.path, test: true).classCount == 10)
  }
}

@Suite("Class folders") struct FolderTests {
  private func pets(in folder: TemporaryFolder) throws {
    for name in ["cat/b.jpg", "cat/a.JPEG", "cat/deep/er/c.png", "cat/deep-/d.jpg", "Dog/1.jpg", "dog/2.Png"]
    {
      try folder.write(name, Array(name.utf8))
    }
    for name in ["cat/.hidden.jpg", ".git/x.jpg", "cat/notes.txt", "dog/jpg", "readme.jpg", "dog/.d/x.jpg"] {
      try folder.write(name, [0])
    }
  }

  @Test("A class folder conforms to the requirements of a source")
  func conforms() throws {
    let folder = try TemporaryFolder()
    try pets(in: folder)
    try checkConformance(count: 6, isShuffled: true) {
      try SourceRegistry.open("folder:\(folder.path)", seed: $0)
    }
  }

  /// The reference is torchvision's ImageFolder, without hidden files.
  @Test("A class folder has the rows of torchvision's ImageFolder")
  func rowsAreImageFoldersRows() throws {
    let folder = try TemporaryFolder()
    try pets(in: folder)
    let table = try FolderTable(folder.path)
    #expect(table.classNames == ["Dog", "cat", "dog"])
    let rows = try (0..<table.count).map { String(decoding: try table.image(at: $0).bytes, as: UTF8.self) }
    #expect(
      rows == ["Dog/1.jpg", "cat/a.JPEG", "cat/b.jpg", "cat/deep-/d.jpg", "cat/deep/er/c.png", "dog/2.Png"])
    #expect((0..<table.count).map(table.label) == [0, 1, 1, 1, 1, 2])
    #expect(
      table.report.counts == [
        "hidden file": 3, "not an image (.txt)": 1, "not an image (no extension)": 1,
        "file beside the class folders": 1,
      ])
    #expect(table.path(at: 5) == "\(folder.path)/dog/2.Png")
  }

  @Test("Labels follow the given class names")
  func labelsFollowGivenNames() throws {
    let folder = try TemporaryFolder()
    try pets(in: folder)
    let table = try FolderTable(folder.path, classNames: ["dog", "cow", "cat", "Dog"])
    #expect((0..<table.count).map(table.label) == [3, 2, 2, 2, 2, 0])
    #expect(table.classCount == 4)
    expectError(.badData, naming: ["/dog: not one of the 2 expected classes"]) {
      _ = try FolderTable(folder.path, classNames: ["Dog", "cat"])
    }
  }

  @Test("Folders without images are refused")
  func refusesFoldersWithoutImages() throws {
    let folder = try TemporaryFolder()
    expectError(.badData, naming: [folder.path, "no class folders"]) { _ = try FolderTable(folder.path) }
    try folder.write("cat/a.jpg", [])
    try folder.write("empty/notes.txt", [])
    expectError(
      .badData, naming: ["/empty: no image files (.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff or .webp)"]
    ) { _ = try FolderTable(folder.path) }
    expectError(.badData, naming: ["a.jpg: not a folder"]) { _ = try FolderTable("\(folder.path)/cat/a.jpg") }
  }

  @Test("Links are followed once")
  func linksAreFollowedOnce() throws {
    let folder = try TemporaryFolder()
    try folder.write("cat/a.jpg", [1])
    try folder.write("elsewhere.bin/b.jpg", [2])
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/cat/link.jpg", withDestinationPath: "\(folder.path)/elsewhere.bin/b.jpg")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/cat/loop", withDestinationPath: folder.path + "/cat")
    let table = try FolderTable(folder.path)
    #expect((0..<table.count).map(table.label) == [0, 0, 1])
  }

  @Test("A deleted file is reported with its path")
  func aFileThatVanishedIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("cat/a.jpg", [1])
    let table = try FolderTable(folder.path)
    try FileManager.default.removeItem(atPath: path)
    expectError(.io, naming: ["cat/a.jpg"]) { _ = try table.image(at: 0) }
  }
}

@Suite("The order of a stream") struct OrderTests {
  /// The 24 orders of four rows are equally likely: chi-squared with 23 degrees of freedom is below 49.7 in 999 of
  /// 1,000 cases. The seeds are fixed, so the result is too.
  @Test("Every order is equally likely")
  func everyOrderIsEquallyLikely() throws {
    let folder = try TemporaryFolder()
    try folder.write("train-images-idx3-ubyte", idxBytes([4, 1, 1], [0, 1, 2, 3]))
    try folder.write("train-labels-idx1-ubyte", idxBytes([4], [0, 1, 2, 3]))
    let table = try IDXTable(folder.path)
    var counts: [[Int]: Int] = [:]
    let draws = 2400
    for seed in 0..<UInt64(draws) {
      let source = ShuffledSource(table, specification: "idx", seed: seed)
      counts[try takeAll(source).map(\.label), default: 0] += 1
    }
    let expected = Double(draws) / 24
    let chiSquared = counts.values.reduce(0.0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    #expect(counts.count == 24)
    #expect(chiSquared < 49.7)
  }
}
