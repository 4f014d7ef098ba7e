import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassReplay

@Suite("Files are overwritten before they are removed") struct ErasedFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A second name of the file shows what is in its blocks.
  @Test("Only zeros are left", arguments: [0, 1, 4_096, (1 << 20) + 7])
  func nothingIsLeft(bytes: Int) throws {
    try folder.write([UInt8](repeating: 7, count: bytes), to: "file")
    #expect(link(folder.file("file"), folder.file("other")) == 0)
    ErasedFile.remove(folder.file("file"))
    #expect(!folder.exists("file"))
    let left = try folder.bytes(of: "other")
    #expect(left.count == bytes && left.allSatisfy { $0 == 0 })
    try ErasedFile.overwrite(folder.file("missing"))
  }

  @Test("The archive of a removed memory is overwritten")
  func anArchiveIsOverwritten() throws {
    let image = EncodedImage(bytes: (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    do {
      let archive = try ImageArchive(folder: folder.path, imageBytes: 5_000)
      try archive.insertInParts(image, id: 3)
      try archive.endParts()
    }
    #expect(link(folder.file(ImageArchive.fileName), folder.file("other")) == 0)
    #expect(try folder.bytes(of: "other").contains(pattern: Array(image.bytes.prefix(64))))
    ImageArchive.erase(in: folder.path)
    #expect(try folder.bytes(of: "other").allSatisfy { $0 == 0 } && !folder.exists(ImageArchive.fileName))
  }
}

extension [UInt8] {
  fileprivate func contains(pattern: [UInt8]) -> Bool {
    Data(self).range(of: Data(pattern)) != nil
  }
}
