import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("What folders and zip archives leave out") struct FolderReportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func put(_ names: String...) throws {
    for name in names { try folder.write(name, Array(name.utf8)) }
  }

  @Test("Files that are not images are counted by extension")
  func filesAreCountedByExtension() throws {
    try put(
      "cat/1.png", "cat/a.gif", "cat/b.GIF", "cat/deep/c.gif", "cat/readme", "cat/x.0017", "dog/2.jpg")
    let table = try FolderTable(folder.path)
    #expect(table.count == 2)
    #expect(
      table.report.counts == [
        "not an image (.gif)": 3, "not an image (no extension)": 1, "not an image (other extension)": 1,
      ])
    #expect(table.report.leftOut.first?.example == "\(folder.path)/cat/a.gif")
    #expect(try SourceRegistry.open("folder:\(folder.path)", seed: 1).report == table.report)
  }

  @Test("Hidden files, files beside the classes, broken links and pipes are counted")
  func otherEntriesAreCounted() throws {
    try put("cat/1.png", "cat/.DS_Store", "dog/2.png", "LICENSE", ".git/config", "other/3.png")
    #expect(symlink("/nowhere", "\(folder.path)/cat/4.png") == 0)
    #expect(symlink("nowhere", "\(folder.path)/gone") == 0)
    #expect(symlink("../dog", "\(folder.path)/other/dog") == 0)
    #expect(symlink("../dog", "\(folder.path)/other/dog-again") == 0)
    #expect(mkfifo("\(folder.path)/cat/5.png", 0o600) == 0)
    let table = try FolderTable(folder.path)
    #expect(table.count == 4)
    #expect(
      table.report.counts == [
        "hidden file": 2, "file beside the class folders": 1, "link without a target": 2,
        "neither a file nor a folder": 1, "folder reached again through a link": 1,
      ])
  }

  /// Synology, macOS, ext4, Windows and Jupyter make such folders.
  @Test(
    "Folders of file systems and tools are not classes",
    arguments: [
      "@eaDir", "__MACOSX", "lost+found", "$RECYCLE.BIN", "System Volume Information", ".ipynb_checkpoints",
    ])
  func toolFoldersAreNotClasses(name: String) throws {
    try put("cat/1.png", "dog/2.png", "\(name)/1.png", "cat/\(name)/2.png")
    let table = try FolderTable(folder.path)
    #expect(table.classNames == ["cat", "dog"] && table.count == 2)
    #expect(table.report.counts == ["folder of a file system or tool": 2])
    let zip = try folder.write(
      "a.zip", zipBytes(["cat/1.png", "dog/2.png", "\(name)/1.png", "cat/\(name)/2.png"].map { ZipFile($0) }))
    let zipped = try ZipTable(zip)
    #expect(zipped.classNames == ["cat", "dog"] && zipped.count == 2)
    #expect(zipped.report.counts == ["folder of a file system or tool": 2])
  }

  /// Latin-1 names, as old systems wrote them: not UTF-8.
  @Test("Names that are not UTF-8 are read, and shown escaped")
  func namesNeedNotBeUTF8() throws {
    try put("dog/2.png")
    let class1 = Array("\(folder.path)/caf".utf8) + [0xE9]
    #expect(class1.withCString { mkdir($0, 0o700) } == 0)
    for (index, byte) in [0xE8, 0xE9].enumerated() {
      let path = class1 + Array("/".utf8) + [UInt8(byte)] + Array(".png".utf8)
      let file = path.withCString { open($0, O_CREAT | O_WRONLY, 0o600) }
      #expect(write(file, [UInt8(index)], 1) == 1)
      close(file)
    }
    let table = try FolderTable(folder.path)
    #expect(table.classNames == ["caf\\xE9", "dog"] && table.count == 3)
    #expect(try (0..<2).map { try table.image(at: $0).bytes } == [[0], [1]])
    #expect(table.path(at: 1) == "\(folder.path)/caf\\xE9/\\xE9.png")
    #expect(try FolderTable(folder.path, classNames: ["dog", "caf\\xE9"]).label(at: 0) == 1)
  }

  @Test("Parts of a data set are not classes")
  func partsAreNotClasses() throws {
    try put("train/cat/1.png", "train/dog/2.png", "val/cat/3.png", "val/dog/4.png")
    expectError(
      .badData,
      naming: ["(train, val)", "folder:\(folder.path)/train --eval-data folder:\(folder.path)/val"]
    ) { _ = try FolderTable(folder.path) }
    try put("Test/cat/5.png")
    expectError(.badData, naming: ["(Test, train, val)", "folder:\(folder.path)/train"]) {
      _ = try FolderTable(folder.path)
    }
    let zip = try folder.write(
      "a.zip",
      zipBytes(["data/train/cat/1.png", "data/train/dog/2.png", "data/valid/cat/3.png"].map { ZipFile($0) }))
    expectError(
      .badData, naming: ["a.zip", "(train, valid)", "folder:DIR/train --eval-data folder:DIR/valid"]
    ) {
      _ = try ZipTable(zip)
    }
    // Classes of these names are possible if they are expected, or beside others.
    #expect(try FolderTable(folder.path, classNames: ["Test", "train", "val"]).classCount == 3)
    try put("other/6.png")
    #expect(try FolderTable(folder.path).classCount == 4)
  }

  @Test("An archive reports what its folder does")
  func archivesReport() throws {
    var link = ZipFile("dog/link.png", body: Array("2.png".utf8))
    link.mode = 0o120777
    let files = ["cat/1.png", "cat/a.gif", "cat/.x.png", "dog/2.png", "README.md", "3.png", "dog/"]
    let table = try ZipTable(folder.write("a.zip", zipBytes(files.map { ZipFile($0) } + [link])))
    #expect(table.count == 2)
    #expect(
      table.report.counts == [
        "not an image (.gif)": 1, "hidden file": 1, "not an image (.md)": 1,
        "file beside the class folders": 1, "link in the archive": 1,
      ])
    let classes = tarBytes([("1.JPEG", [1]), ("list.txt", [2])], endBlocks: 2)
    let outer = tarBytes([("n1.tar", classes), ("n2.tar", classes), ("LICENSE", [1])])
    let images = try ILSVRCTable(folder.write("train.tar", outer))
    #expect(
      images.report.counts == ["not an image (.txt)": 2, "not the tar of a class": 1] && images.count == 2)
  }

  /// Two classes of code page 437 that would become equal if undecodable bytes were replaced.
  @Test("Names in other encodings stay distinct in an archive")
  func encodingsStayDistinct() throws {
    let classes: [[UInt8]] = [[0x63, 0x82], [0x63, 0x8A]]
    let files = classes.flatMap { name in
      [0x82, 0x8A].map {
        ZipFile(bytes: name + [UInt8(ascii: "/"), $0] + Array(".png".utf8), body: name + [$0])
      }
    }
    let table = try ZipTable(folder.write("a.zip", zipBytes(files)))
    #expect(table.classNames == ["c\\x82", "c\\x8A"] && table.count == 4)
    #expect((0..<4).map(table.label) == [0, 0, 1, 1])
    #expect(
      try (0..<4).map { try table.image(at: $0).bytes.suffix(2) } == [
        [0x82, 0x82], [0x82, 0x8A], [0x8A, 0x82], [0x8A, 0x8A],
      ])
  }

  @Test("Backslashes of old Windows programs separate folders")
  func backslashesSeparateFolders() throws {
    func windows(_ names: [[UInt8]]) -> [ZipFile] {
      names.map { name in
        var file = ZipFile(bytes: name)
        file.system = 0
        return file
      }
    }
    let table = try ZipTable(
      folder.write("a.zip", zipBytes(windows(["cat\\1.png", "dog\\deep\\2.png"].map { Array($0.utf8) }))))
    #expect(table.classNames == ["cat", "dog"])
    #expect(table.report.choices.map(\.what) == ["the separator of paths"])
    // On Unix a backslash is part of a name.
    let unix = try ZipTable(folder.write("b.zip", zipBytes([ZipFile("cat/1\\2.png"), ZipFile("dog/3.png")])))
    #expect(unix.path(at: 0)?.hasSuffix("cat/1\\2.png") == true && unix.report.isEmpty)
    // In Shift-JIS the second byte of 表 (95 5C) is a backslash.
    let japanese = try ZipTable(
      folder.write(
        "c.zip", zipBytes(windows([[0x95, 0x5C, 0x5C] + Array("1.png".utf8), Array("dog\\2.png".utf8)]))))
    #expect(japanese.classNames == ["dog", "\\x95\\"])
  }
}
