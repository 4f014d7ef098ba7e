import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

/// The fixtures come from Tools/reference_archives.py.
private func fixture(_ name: String) throws -> String {
  try #require(Bundle.module.path(forResource: "Fixtures/archives/\(name)", ofType: nil))
}

@Suite("Archives of class folders") struct ArchiveTests {
  static let archives = ["folders.zip", "nested.zip", "streamed.zip", "train.tar"]

  private func specification(_ name: String) throws -> String {
    "\(name.hasSuffix(".zip") ? "zip" : "ilsvrc"):\(try fixture(name))"
  }

  private func open(_ name: String) throws -> any ExampleTable {
    name.hasSuffix(".zip") ? try ZipTable(fixture(name)) : try ILSVRCTable(fixture(name))
  }

  @Test("An archive conforms to the requirements of a source", arguments: archives)
  func conforms(name: String) throws {
    let specification = try specification(name)
    try checkConformance(count: 9, isShuffled: true) {
      try SourceRegistry.open(specification, seed: $0)
    }
  }

  /// The reference is torchvision's ImageFolder on the unpacked archive: rows, contents and labels.
  @Test("An archive has the rows of torchvision's ImageFolder", arguments: archives)
  func rowsAreImageFoldersRows(name: String) throws {
    let expected = try JSONSerialization.jsonObject(with: Data(contents(of: fixture("expected.json"))))
    let rows = try #require((expected as? [String: [[Any]]])?[name])
    let table = try open(name)
    #expect(table.count == rows.count)
    for (row, expected) in rows.enumerated() {
      #expect(String(decoding: try table.image(at: row).bytes, as: UTF8.self) == expected[1] as? String)
      #expect(table.label(at: row) == expected[2] as? Int)
      #expect(table.path(at: row)?.hasSuffix("/\(expected[0])") ?? false)
    }
    #expect(table.classNames?.count == table.classCount)
  }

  @Test("An archive gives the same stream as its folder")
  func anArchiveIsTheStreamOfItsFolder() throws {
    let folder = try TemporaryFolder()
    let table = try open("folders.zip")
    for row in 0..<table.count {
      let path = try #require(table.path(at: row)).components(separatedBy: "folders.zip/")[1]
      try folder.write(path, table.image(at: row).bytes)
    }
    let unpacked = try takeAll(SourceRegistry.open("folder:\(folder.path)", seed: 5))
    let packed = try takeAll(SourceRegistry.open(specification("folders.zip"), seed: 5))
    #expect(zip(unpacked, packed).allSatisfy(same) && unpacked.count == packed.count)
  }

  /// A zip archive may have a file and a folder of the same name, unlike a file system.
  @Test("A file and a folder of the same name are kept apart")
  func aFileAndAFolderOfOneName() throws {
    let finding = "../../FuzzProgram/Findings/zip/image-and-folder-of-one-name.zip"
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let table = try ZipTable(here.appendingPathComponent(finding).standardizedFileURL.path)
    #expect(table.classNames == ["b.png"] && table.count == 1)
  }

  @Test("Labels follow the given class names", arguments: archives)
  func labelsFollowGivenNames(name: String) throws {
    let own = try #require(try open(name).classNames)
    let names = ["another"] + own.reversed()
    let source = try SourceRegistry.open(specification(name), seed: 1, classNames: names)
    #expect(source.classNames == names)
    let plain = try takeAll(SourceRegistry.open(specification(name), seed: 1))
    #expect(try takeAll(source).map { names[$0.label] } == plain.map { own[$0.label] })
    expectError(.badData, naming: ["is not one of the 2 expected classes"]) {
      _ = try SourceRegistry.open(specification(name), seed: 1, classNames: ["another", own[0]])
    }
  }

  @Test("Subjects come from the path")
  func subjectsComeFromThePath() throws {
    let source = try SourceRegistry.open(specification("train.tar"), seed: 1, subjectKey: .folder)
    #expect(Set(try takeAll(source).map(\.subject)) == ["n01", "n02", "n10"])
  }

  /// Truncation is always detected. A changed byte is detected except inside an image of a tar, which has no checksum.
  @Test("A damaged archive is refused with an error, never with a crash", arguments: archives)
  func damagedArchivesAreRefused(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try contents(of: fixture(name))
    var chance = SeededGenerator(seed: 3, .test)
    var refused = 0
    for trial in 0..<600 {
      var bytes = whole
      if trial % 3 == 0 { bytes = Array(bytes.prefix(chance.next(below: bytes.count))) }
      for _ in 0..<(trial % 3) where !bytes.isEmpty {
        bytes[chance.next(below: bytes.count)] = UInt8(chance.next(below: 256))
      }
      let path = try folder.write("damaged", bytes)
      do {
        let table: any ExampleTable =
          name.hasSuffix(".zip") ? try ZipTable(path) : try ILSVRCTable(path)
        for row in 0..<table.count { _ = try table.image(at: row) }
      } catch let error as OnePassError {
        #expect(error.code == .badData && error.message.hasSuffix("."), "\(error)")
        refused += 1
      }
      if trial % 3 == 0 { #expect(refused > trial / 3, "cut to \(bytes.count) bytes and read") }
    }
    #expect(refused > 200)
  }

  @Test("A file of another kind is refused with a remedy")
  func otherFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    let images = try folder.write("val.tar", tarBytes([("a.JPEG", [1]), ("b.JPEG", [2])]))
    expectError(.badData, naming: ["validation set", "list:FILE"]) { _ = try ILSVRCTable(images) }
    let empty = try folder.write("empty.tar", tarBytes([("readme", [1])]))
    expectError(.badData, naming: ["no class tars"]) { _ = try ILSVRCTable(empty) }
    let twice = try folder.write(
      "twice.tar", tarBytes([("a.tar", tarBytes([("1.jpg", [1]), ("1.jpg", [2])]))]))
    expectError(.badData, naming: ["twice.tar: two files named a/1.jpg"]) { _ = try ILSVRCTable(twice) }
    for kind in ["zip", "ilsvrc"] {
      expectError(.usage, naming: ["is a folder", "folder:"]) {
        _ = try SourceRegistry.open("\(kind):\(folder.path)", seed: 1)
      }
      expectError(.io, naming: ["/x: no such file"]) {
        _ = try SourceRegistry.open("\(kind):\(folder.path)/x", seed: 1)
      }
    }
    expectError(.badData, naming: ["not a complete zip archive"]) { _ = try ZipTable(images) }
  }
}

@Suite("CIFAR files") struct CIFARFileTests {
  /// The reference is torchvision's reader on the same data: pixels and labels.
  @Test(
    "CIFAR files give torchvision's pixels and labels", arguments: [("cifar10", 10, 2), ("cifar100", 2, 2)])
  func readsWhatTorchvisionReads(folder: String, training: Int, test: Int) throws {
    let directory = try fixture(folder)
    let pixels = try contents(of: "\(directory)/pixels.bin")
    let json = try JSONSerialization.jsonObject(with: Data(contents(of: "\(directory)/labels.json")))
    let labels = try #require(json as? [[Int]])
    var place = 0
    for (part, count) in [training, test].enumerated() {
      let table = try CIFARTable(directory, test: part == 1)
      #expect((0..<table.count).map(table.label) == labels[part] && table.count == count)
      for row in 0..<count {
        let image = try table.image(at: row)
        #expect(image.encoding == .pixels(width: 32, height: 32, channels: 3))
        #expect(image.bytes == Array(pixels[place..<(place + 3072)]))
        place += 3072
      }
    }
    #expect(place == pixels.count)
  }

  @Test("CIFAR files conform to the requirements of a source")
  func conforms() throws {
    let (ten, hundred) = (try fixture("cifar10"), try fixture("cifar100"))
    try checkConformance(count: 10, isShuffled: true) { try SourceRegistry.open("cifar:\(ten)", seed: $0) }
    let test = try SourceRegistry.open("cifar:\(hundred):test", seed: 1)
    #expect(test.knownCount == 2 && test.classNames?[99] == "fine 99" && test.knownClassCount == 100)
  }

  @Test("An incomplete CIFAR folder is refused with the file's name and the reason")
  func incompleteCIFARIsRefused() throws {
    let folder = try TemporaryFolder()
    expectError(.io, naming: ["data_batch_1.bin", "train.bin"]) { _ = try CIFARTable(folder.path) }
    try folder.write("data_batch_1", [1])
    expectError(.badData, naming: ["pickled"]) { _ = try CIFARTable(folder.path) }
    for number in 1...4 { try folder.write("data_batch_\(number).bin", [UInt8](repeating: 3, count: 3073)) }
    expectError(.io, naming: ["data_batch_5.bin"]) { _ = try CIFARTable(folder.path) }
    try folder.write("data_batch_5.bin", [UInt8](repeating: 3, count: 3072))
    expectError(.badData, naming: ["data_batch_5.bin", "3072 bytes"]) { _ = try CIFARTable(folder.path) }
    try folder.write("data_batch_5.bin", [10] + [UInt8](repeating: 3, count: 3072))
    expectError(.badData, naming: ["data_batch_5.bin: record 0 has label 10"]) {
      _ = try CIFARTable(folder.path)
    }
    try folder.write("data_batch_5.bin", [UInt8](repeating: 3, count: 3073))
    #expect(try CIFARTable(folder.path).classNames == nil)
    expectError(.badData, naming: ["10 classes, but 2 are expected"]) {
      _ = try SourceRegistry.open("cifar:\(folder.path)", seed: 1, classNames: ["a", "b"])
    }
    try folder.write("batches.meta.txt", Array("a\nb\n".utf8))
    expectError(.badData, naming: ["batches.meta.txt: 2 class names"]) { _ = try CIFARTable(folder.path) }
  }
}
