import Foundation
import OnePassCore
import OnePassReplay
import TestSupport
import Testing

@Suite("The archive of images") struct ImageArchiveTests {
  let folder: TemporaryFolder
  var file: String { folder.file(ImageArchive.fileName) }

  init() throws { folder = try TemporaryFolder() }

  func open() throws -> ImageArchive { try ImageArchive(folder: folder.path, imageBytes: 3_000) }

  static func image(_ id: Int, bytes: Int = 3_000) -> EncodedImage {
    Example.synthetic(id, bytes: bytes).image
  }

  @Test("Images can be read back, also after reopening")
  func whatIsPutThereComesBackAlsoAfterOpeningItAgain() throws {
    let images = [
      3: Self.image(3, bytes: 1), 1: Self.image(1, bytes: 4_096), 7: Self.image(7, bytes: 250_000),
      0: EncodedImage(
        bytes: [UInt8](repeating: 9, count: 12), encoding: .pixels(width: 2, height: 2, channels: 3)),
    ]
    do {
      let archive = try open()
      try archive.transaction { for (id, image) in images { try archive.insert(image, id: id) } }
    }
    let archive = try open()
    #expect(try archive.ids == [0, 1, 3, 7] && archive.count == 4)
    for (id, image) in images { #expect(try archive.image(id: id) == image) }
  }

  @Test("Removed images are gone")
  func whatIsRemovedIsGone() throws {
    let archive = try open()
    for id in 0..<10 { try archive.insert(Self.image(id), id: id) }
    for id in [0, 4, 9, 77] { try archive.remove(id: id) }
    #expect(try archive.ids == [1, 2, 3, 5, 6, 7, 8])
    #expect { try archive.image(id: 4) } throws: { "\($0)".contains("has no image of example 4") }
    #expect(try archive.image(id: 5) == Self.image(5))
  }

  @Test("A transaction is all or nothing")
  func aTransactionIsWholeOrNothing() throws {
    struct Failure: Error {}
    let archive = try open()
    try archive.insert(Self.image(0), id: 0)
    #expect(throws: Failure.self) {
      try archive.transaction {
        try archive.insert(Self.image(1), id: 1)
        try archive.remove(id: 0)
        throw Failure()
      }
    }
    #expect(try archive.ids == [0])
    // The archive remains usable.
    try archive.transaction { try archive.insert(Self.image(2), id: 2) }
    #expect(try archive.ids == [0, 2])
  }

  @Test("A position has at most one image")
  func onePositionHoldsOneImage() throws {
    let archive = try open()
    try archive.insert(Self.image(1), id: 1)
    #expect(throws: OnePassError.self) { try archive.insert(Self.image(2), id: 1) }
    #expect(try archive.image(id: 1) == Self.image(1))
  }

  @Test("The stated size is that of the files, and does not grow by replacing items")
  func theRoomIsThatOfTheFiles() throws {
    let archive = try open()
    func sizeOfFiles() throws -> Int {
      try folder.contents.reduce(0) { sum, name in
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
        return sum + ((attributes[.size] as? NSNumber)?.intValue ?? 0)
      }
    }
    try archive.transaction { for id in 0..<300 { try archive.insert(Self.image(id), id: id) } }
    try archive.makeDurable()
    let filled = try archive.bytesOnDisk
    #expect(try filled == sizeOfFiles() && filled > 300 * 3_000 && filled < 300 * 3_000 * 3 / 2)
    for round in 0..<20 {
      try archive.transaction {
        for id in round * 100..<round * 100 + 100 {
          try archive.remove(id: id)
          try archive.insert(Self.image(id + 300), id: id + 300)
        }
      }
      try archive.makeDurable()
    }
    #expect(try archive.count == 300 && archive.bytesOnDisk == sizeOfFiles())
    #expect(try Double(archive.bytesOnDisk) < 1.15 * Double(filled))
  }

  /// Neither the table nor the log contains the bytes of a forgotten image.
  @Test("A forgotten image is in no file")
  func whatIsForgottenIsNowhereInTheFiles() throws {
    let secret = "THE SUBJECT'S FACE "
    let image = EncodedImage(bytes: (0..<500).flatMap { _ in Array(secret.utf8) })
    let archive = try open()
    try archive.transaction {
      for id in 0..<20 { try archive.insert(id == 11 ? image : Self.image(id), id: id) }
    }
    try archive.makeDurable()
    #expect(try folder.occurrences(of: secret) > 400)
    try archive.remove(id: 11)
    try archive.makeDurable()
    #expect(try folder.occurrences(of: secret) == 0)
    #expect(try archive.count == 19)
  }

  @Test("A changed byte is detected, and the example is named")
  func aChangedByteIsNoticed() throws {
    let marker = Array("MARKER".utf8)
    do {
      let archive = try open()
      try archive.insert(
        EncodedImage(bytes: [UInt8](repeating: 1, count: 900) + marker + [UInt8](repeating: 2, count: 900)),
        id: 5)
      try archive.insert(Self.image(6), id: 6)
      try archive.makeDurable()
    }
    var bytes = Data(try folder.bytes(of: ImageArchive.fileName))
    let range = try #require(bytes.range(of: Data(marker)))
    bytes[range.lowerBound] ^= 0x20
    try folder.write([UInt8](bytes), to: ImageArchive.fileName)
    let archive = try open()
    #expect { try archive.image(id: 5) } throws: { error in
      (error as? OnePassError)?.code == .badData
        && "\(error)".contains("the image of example 5 does not match its checksum")
    }
    #expect(try archive.image(id: 6) == Self.image(6))
  }

  @Test("A second writer is rejected")
  func aSecondOwnerIsRefused() throws {
    let first = try open()
    try first.insert(Self.image(1), id: 1)
    #expect { try open() } throws: { error in
      (error as? OnePassError)?.code == .usage && "\(error)".contains("is in use by another process")
    }
    #expect(try first.image(id: 1) == Self.image(1))
  }

  @Test("A file that is not a database is rejected")
  func aFileOfSomethingElseIsRefused() throws {
    try folder.write(
      Array("not a database at all, but long enough to be looked at".utf8), to: ImageArchive.fileName)
    #expect { try open() } throws: {
      ($0 as? OnePassError)?.code == .badData && "\($0)".contains("is damaged")
    }
    try FileManager.default.removeItem(atPath: file)
    let other = try open()
    try other.insert(Self.image(1), id: 1)
    #expect {
      try ImageArchive(folder: folder.file("\(ImageArchive.fileName)/below"), imageBytes: 1)
    } throws: {
      ($0 as? OnePassError)?.code == .io
    }
  }

  /// Bytes 60 and 68 of an SQLite file are the user version and the application ID.
  @Test(
    "A database of another program or version is rejected",
    arguments: [(60, "has format"), (68, "is a database of another program")])
  func aDatabaseOfAnotherKindIsRefused(offset: Int, text: String) throws {
    do {
      let archive = try open()
      try archive.insert(Self.image(1), id: 1)
      try archive.makeDurable()
    }
    var bytes = try folder.bytes(of: ImageArchive.fileName)
    bytes[offset + 3] ^= 0x40
    try folder.write(bytes, to: ImageArchive.fileName)
    #expect { try open() } throws: { ($0 as? OnePassError)?.code == .badData && "\($0)".contains(text) }
  }
}
