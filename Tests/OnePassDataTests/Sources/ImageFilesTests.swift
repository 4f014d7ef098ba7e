import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Images for prediction: files, folders and paths from a pipe") struct ImageFilesTests {
  let folder: TestSupport.TemporaryFolder

  init() throws { folder = try TestSupport.TemporaryFolder() }

  /// All names with the bytes of the image; an error's message in place of them.
  func delivered(_ input: some ImageInput) throws -> [String] {
    var all: [String] = []
    while let image = try input.next() {
      let name = image.name.replacing(folder.path + "/", with: "")
      switch image.image {
      case .success(let image): all.append("\(name) \(image.bytes)")
      case .failure(let error): all.append(error.message.replacing(folder.path + "/", with: ""))
      }
    }
    return all
  }

  @Test("Files, and the images of folders at any depth, are delivered in order")
  func filesAndFolders() throws {
    for (index, name) in [
      "b/2.PNG", "b/deep/er/3.jpg", "b/notes.txt", "b/.hidden.png", "b/10.png", "any name",
    ]
    .enumerated() {
      try folder.write([UInt8(index)], to: name)
    }
    try folder.write([], to: "empty/.keep")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("b/deep/again"), withDestinationPath: folder.file("b"))
    let input = ImageFiles(
      ["any name", "none.jpg", "b/", "empty", "any name"].map(folder.file), specification: "mine")
    #expect(
      try delivered(input) == [
        "any name [5]", "none.jpg: cannot open: No such file or directory; check the path.", "b/10.png [4]",
        "b/2.PNG [0]", "b/deep/er/3.jpg [1]",
        "empty: no image files (.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff or .webp); pass another folder.",
        "any name [5]",
      ])
    #expect(
      input.report.counts == [
        "hidden file": 2, "not an image (.txt)": 1, "folder reached again through a link": 1,
      ])
    #expect(input.isReady && input.specification == "mine")
  }

  @Test("Names that are not UTF-8 are read, and escaped where they are shown")
  func namesAreBytes() throws {
    let name = Array("\(folder.path)/f/caf".utf8) + [0xE9] + Array(".png".utf8)
    try folder.write([], to: "f/.keep")
    let descriptor = name.withCString { open($0, O_CREAT | O_WRONLY, 0o600) }
    try #require(descriptor >= 0)
    #expect(write(descriptor, [7], 1) == 1)
    close(descriptor)
    #expect(try delivered(ImageFiles([folder.file("f")])) == ["f/caf\\xE9.png [7]"])
    try folder.write(name + [10], to: "list")
    let list = open(folder.file("list"), O_RDONLY)
    defer { close(list) }
    #expect(try delivered(ImageFiles(pathsFrom: list)) == ["f/caf\\xE9.png [7]"])
    // A name in UTF-8 is unchanged, so that a program can open it.
    try folder.write([8], to: "g/a\n,\"é.png")
    #expect(try delivered(ImageFiles([folder.file("g")])) == ["g/a\n,\"é.png [8]"])
  }

  @Test("Lines of a pipe are read as they arrive")
  func linesArrive() throws {
    for index in 1...3 { try folder.write([UInt8(index)], to: "\(index).png") }
    let pipe = Pipe()
    let (reading, writing) = (pipe.fileHandleForReading, pipe.fileHandleForWriting)
    let input = ImageFiles(pathsFrom: reading.fileDescriptor)
    func send(_ text: String) throws { try writing.write(contentsOf: Data(text.utf8)) }
    #expect(!input.isReady)
    try send(folder.file("1.png") + "\r\n\n" + folder.file("2"))
    #expect(input.isReady)
    #expect(try input.next()?.name == folder.file("1.png"))
    // Only an empty line and half a path are there.
    try send(".png")
    #expect(input.isReady == true)
    try send("\n" + folder.file("3.png"))
    #expect(try input.next()?.name == folder.file("2.png"))
    #expect(!input.isReady)
    try writing.close()
    #expect(input.isReady)
    #expect(try input.next()?.name == folder.file("3.png"))
    #expect(input.isReady)
    #expect(try input.next() == nil && input.next() == nil)
  }

  @Test("Paths can end with a zero byte; images in place of paths are an error")
  func separators() throws {
    func lines(_ bytes: [UInt8], byZero: Bool = false) throws -> [[UInt8]] {
      try folder.write(bytes, to: "list")
      let list = open(folder.file("list"), O_RDONLY)
      defer { close(list) }
      let lines = PathLines(list, separatedByZero: byZero, name: "list")
      var all: [[UInt8]] = []
      while let line = try lines.next() { all.append(line) }
      return all
    }
    #expect(
      try lines(Array("a\nb\u{0}c\r\u{0}\u{0}".utf8), byZero: true) == [
        Array("a\nb".utf8), Array("c\r".utf8),
      ])
    #expect(try lines([]).isEmpty)
    let long = [UInt8](repeating: 97, count: 8_192)
    #expect(try lines(long + [10] + long) == [long, long])
    #expect(try lines((0..<50_000).flatMap { Array("\($0)\n".utf8) }).count == 50_000)
    for (bytes, part) in [
      (Array("a\nb\u{0}c\n".utf8), "list:2: a path cannot contain a zero byte"),
      ([UInt8](repeating: 97, count: 300_000), "list:1: line longer than 8192 bytes"),
      (long + [97, 10], "list:1: line longer than 8192 bytes"),
    ] {
      do {
        _ = try lines(bytes)
        Issue.record("no error: \(part)")
      } catch let error as OnePassError {
        #expect(error.code == .badData && error.message.hasPrefix(part), "\(error)")
      }
    }
    #expect(throws: OnePassError.self) { try PathLines(-1, separatedByZero: false, name: "closed").next() }
  }

  @Test("A named pipe is read to its end")
  func pipesAreRead() throws {
    let path = folder.file("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
    try folder.write(bytes, to: "image")
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/bin/sh")
    writer.arguments = ["-c", "exec cat \"$0\" > \"$1\"", folder.file("image"), path]
    try writer.run()
    defer { writer.waitUntilExit() }
    let image = try #require(try ImageFiles([path]).next())
    #expect(try image.image.get().bytes == bytes)
  }

  @Test("A source gives its images without labels")
  func sources() throws {
    let table = IndexedSource("digits", count: 2, classCount: 3) {
      LabelledImage(EncodedImage(bytes: [UInt8($0)]), label: $0)
    }
    #expect(try delivered(SourceImages(table)) == ["digits example 0 [0]", "digits example 1 [1]"])
  }
}
