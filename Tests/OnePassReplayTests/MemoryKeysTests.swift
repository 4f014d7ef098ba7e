import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassReplay

/// Keys of images on disk: against another implementation, destroyed, wrong, damaged and in use.
@Suite("The keys of a memory") struct MemoryKeysTests {
  let folder: TemporaryFolder
  var path: String { folder.file("keys") }

  init() throws { folder = try TemporaryFolder() }

  func expectError(_ code: OnePassError.Code, naming part: String, _ body: () throws -> Void) {
    #expect {
      try body()
    } throws: { error in
      (error as? OnePassError)?.code == code && "\(error)".contains(part)
    }
  }

  func image(_ number: Int, bytes: Int = 3_000) -> EncodedImage {
    EncodedImage(bytes: noise(number, count: bytes))
  }

  /// Reference: PyCA's cryptography, `Tools/reference_encryption.py`.
  @Test("Images and key files of another implementation are read")
  func anotherImplementation() throws {
    try Data(EncryptionReference.file).write(to: URL(fileURLWithPath: path))
    let keys = try MemoryKeys(file: path, creating: false)
    let first = EncodedImage(bytes: EncryptionReference.first)
    #expect(try keys.open(first, id: 7)?.bytes == Array(0..<40))
    let shape = EncodedImage.Encoding.pixels(width: 4, height: 2, channels: 3)
    let second = EncodedImage(bytes: EncryptionReference.second, encoding: shape)
    #expect(try keys.open(second, id: 1 << 40 + 1)?.bytes == Array(90..<114))
    let waiting = EncodedImage(bytes: EncryptionReference.waiting)
    #expect(try keys.open(waiting, id: nil)?.bytes == Array("waiting".utf8))
    // At another place, with another shape or another key they are not authentic.
    #expect(try keys.open(first, id: 8) == nil)
    #expect(try keys.open(EncodedImage(bytes: EncryptionReference.first, encoding: shape), id: 7) == nil)
    #expect(try keys.open(EncodedImage(bytes: EncryptionReference.second), id: 1 << 40 + 1) == nil)
    // The subject of the file has its key: no new one is written.
    let sealed = try keys.seal(image(1), id: 3, subject: "person 17")
    #expect(sealed.bytes.prefix(4) == [1, 0, 0, 0] && sealed.byteCount == 3_000 + MemoryKeys.bytesPerImage)
    try keys.makeDurable()
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(EncryptionReference.file))
  }

  @Test("Every changed byte of an encrypted image is found")
  func changedBytes() throws {
    let keys = try MemoryKeys(file: path, creating: true)
    let small = image(2, bytes: 20)
    let sealed = try keys.seal(small, id: 5, subject: nil)
    #expect(try keys.open(sealed, id: 5)?.bytes == small.bytes)
    for index in 0..<sealed.byteCount {
      var bytes = sealed.bytes
      bytes[index] ^= 0x40
      #expect(try keys.open(EncodedImage(bytes: bytes), id: 5) == nil, "byte \(index)")
      #expect(try keys.open(EncodedImage(bytes: Array(bytes.prefix(index))), id: 5) == nil, "\(index) bytes")
    }
  }

  @Test("Two encryptions of an image differ, and an empty image has one")
  func nonces() throws {
    let keys = try MemoryKeys(file: path, creating: true)
    let sealed = try (0..<200).map { _ in try keys.seal(image(3, bytes: 16), id: 0, subject: nil).bytes }
    #expect(Set(sealed).count == 200)
    let empty = try keys.seal(EncodedImage(bytes: []), id: 0, subject: nil)
    #expect(empty.byteCount == MemoryKeys.bytesPerImage)
    #expect(try keys.open(empty, id: 0)?.bytes == [])
  }

  @Test("A destroyed key is gone from the file, and the other images are read")
  func destroyedKeys() throws {
    var keys: MemoryKeys? = try MemoryKeys(file: path, creating: true)
    let subjects = ["a", "b", "ç d", nil]
    let sealed = try subjects.enumerated().map { id, subject in
      try #require(try keys?.seal(image(id), id: id, subject: subject))
    }
    try keys?.makeDurable()
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let key = before[(32 + 2 * 64 + 32)..<(32 + 3 * 64)]  // Of the second subject, after that of no subject.
    #expect(try keys?.destroy(subjects: ["b", "unknown"]) == 1)
    // Again: the key is destroyed already.
    #expect(try keys?.destroy(subjects: ["b"]) == 1)
    let after = try Data(contentsOf: URL(fileURLWithPath: path))
    #expect(after.range(of: key) == nil && after.count == before.count)
    #expect(before.range(of: key) != nil && zip(before, after).filter(!=).count <= 32)

    keys = nil
    for reopened in [try MemoryKeys(reading: path), try MemoryKeys(file: path, creating: false)] {
      for (id, stored) in sealed.enumerated() {
        #expect(reopened.isForgotten(stored) == (id == 1))
        if id == 1 {
          expectError(.badData, naming: "example 1 was destroyed") { _ = try reopened.open(stored, id: id) }
        } else {
          #expect(try reopened.open(stored, id: id)?.bytes == image(id).bytes)
        }
      }
      #expect(reopened.hasDestroyedKeys)
    }

    // The subject arrives again: it gets another key, also after the file is opened again.
    keys = try MemoryKeys(file: path, creating: false)
    let again = try #require(try keys?.seal(image(9), id: 9, subject: "b"))
    keys = nil
    keys = try MemoryKeys(file: path, creating: false)
    #expect(try keys?.open(again, id: 9)?.bytes == image(9).bytes)
    #expect(try keys?.seal(image(9), id: 9, subject: "b").bytes.first == again.bytes.first)
    #expect(keys?.isForgotten(sealed[1]) == true)
  }

  @Test("A key file is private, written by one process, and keeps what it has")
  func theFile() throws {
    var keys: MemoryKeys? = try MemoryKeys(file: path, creating: true)
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
    expectError(.usage, naming: "in use by another process") {
      _ = try MemoryKeys(file: path, creating: true)
    }
    let sealed = try #require(try keys?.seal(image(1), id: 1, subject: "a"))
    // A reader needs no lock, and sees the key.
    #expect(try MemoryKeys(reading: path).open(sealed, id: 1)?.bytes == image(1).bytes)
    keys = nil

    // A process was killed while it appended.
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(repeating: 1, count: 41))
    try file.close()
    keys = try MemoryKeys(file: path, creating: true)
    #expect(try keys?.open(sealed, id: 1)?.bytes == image(1).bytes)
    let second = try #require(try keys?.seal(image(2), id: 2, subject: "b"))
    keys = nil
    keys = try MemoryKeys(reading: path)
    #expect(try keys?.open(second, id: 2)?.bytes == image(2).bytes)
  }

  @Test("Files that are no key files are refused and left alone")
  func otherFiles() throws {
    expectError(.io, naming: "does not exist") { _ = try MemoryKeys(file: path, creating: false) }
    expectError(.io, naming: "does not exist") { _ = try MemoryKeys(reading: path) }
    for content in ["text", String(repeating: "x", count: 500), "OnePass keys 1\n\0"] {
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      expectError(.badData, naming: "is not a key file") { _ = try MemoryKeys(file: path, creating: true) }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(content.utf8))
    }
    expectError(.io, naming: "cannot be read or written") {
      _ = try MemoryKeys(file: folder.path, creating: true)
    }
  }
}
