import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Lists of images") struct ListTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes the list `val.txt`; returns its path.
  private func list(_ text: String) throws -> String { try folder.write("val.txt", Array(text.utf8)) }

  private func labels(_ table: ListTable) -> [Int] { (0..<table.count).map(table.label) }

  /// Six files in three class folders, and a list of them with synsets for labels.
  private func animals() throws -> String {
    let files = ["n2/b.JPEG", "n2/a.jpg", "n1/x.png", "n3/1.jpg", "n3/2.jpg", "n2/c.jpg"]
    for file in files { try folder.write("images/\(file)", Array(file.utf8)) }
    return try list(files.map { "images/\($0) \($0.prefix(2))\n" }.joined())
  }

  @Test("A list conforms to the requirements of a source")
  func conforms() throws {
    let path = try animals()
    try checkConformance(count: 6, isShuffled: true) { try SourceRegistry.open("list:\(path)", seed: $0) }
  }

  @Test("Counts and locations are known")
  func countsAndLocationsAreKnown() throws {
    let source = try SourceRegistry.open("list:\(animals())", seed: 3)
    #expect(try Survey.of(source) == Survey(count: 6, classCount: 3))
    for example in try takeAll(source) {
      let location = try #require(source.location(of: example.id))
      #expect(try contents(of: location) == example.image.bytes)
    }
  }

  /// With the same seed, a list of a folder's files in the folder's order makes the same stream.
  @Test("A list has the order of the folder with the same files")
  func theOrderIsThatOfAFolder() throws {
    let path = try animals()
    let table = try FolderTable("\(folder.path)/images")
    let rows = (0..<table.count).map { "\(table.path(at: $0)!) \(table.classNames![table.label(at: $0)])\n" }
    _ = try list(rows.joined())
    for seed in 0..<20 as Range<UInt64> {
      let listed = try takeAll(SourceRegistry.open("list:\(path)", seed: seed))
      let found = try takeAll(SourceRegistry.open("folder:\(folder.path)/images", seed: seed))
      #expect(zip(listed, found).allSatisfy(same), "seed \(seed)")
    }
  }

  /// Names are sorted as class folders are, so that a list and a folder have the same labels.
  @Test("Class names are numbered as in class folders")
  func namesAgreeWithClassFolders() throws {
    for name in ["n02", "N03", "n1", "é", "n-1"] { try folder.write("train/\(name)/a.jpg", [1]) }
    let path = try list("a n1\nb é\nc n02\nd n-1\ne N03\nf n1\n")
    let folders = try FolderTable("\(folder.path)/train")
    let own = try ListTable(path)
    #expect(own.classNames == folders.classNames)
    #expect(own.classNames == ["N03", "n-1", "n02", "n1", "é"])
    #expect(own.classCount == 5)
    #expect(labels(own) == [3, 4, 2, 1, 0, 3])
    #expect(try labels(ListTable(path, classNames: folders.classNames)) == labels(own))
  }

  @Test("Class names are looked up among the given ones")
  func namesAreLookedUpAmongThoseGiven() throws {
    let table = try ListTable(list("a dog\nb cat\n"), classNames: ["fox", "dog", "cow", "cat"])
    #expect(labels(table) == [1, 3])
    #expect(table.classCount == 4)
    #expect(table.classNames == ["fox", "dog", "cow", "cat"])
  }

  @Test("Numbers are labels")
  func numbersAreLabels() throws {
    let path = try list("a 2\nb 0\nc 007\n")
    let table = try ListTable(path)
    #expect(labels(table) == [2, 0, 7])
    #expect(table.classCount == 8)
    #expect(table.classNames == nil)
    let names = (0..<9).map { "class \($0)" }
    let named = try ListTable(path, classNames: names)
    #expect(labels(named) == [2, 0, 7])
    #expect(named.classCount == 9)
    #expect(named.classNames == names)
  }

  /// Class folders may have numbers as names, whose order by bytes is different: 10 comes before 2.
  @Test("Numbers among the given class names are names")
  func numbersThatAreNamesAreNames() throws {
    let names = ["0", "1", "10", "2"]
    #expect(try labels(ListTable(list("a 10\nb 2\n"), classNames: names)) == [2, 3])
    #expect(try labels(ListTable(list("a 10\nb two\n"))) == [0, 1])
  }

  @Test("Blank lines, comments, tabs and repeated spaces are parsed")
  func readsLinesAsPeopleWriteThem() throws {
    let text =
      "\u{FEFF}# images\r\n\r\n  my cat.jpg 1\r\na.jpg \t 0 \r\n   \r\n#b.jpg 5\r\n/abs/c d.jpg\t 2\nsub/é.png  3"
    let table = try ListTable(list(text))
    #expect(labels(table) == [1, 0, 2, 3])
    #expect(
      (0..<4).map { table.path(at: $0) } == [
        "\(folder.path)/my cat.jpg", "\(folder.path)/a.jpg", "/abs/c d.jpg", "\(folder.path)/sub/é.png",
      ])
    let spaced = try ListTable(list("my cat.jpg\tred fox\n"))
    #expect(spaced.classNames == ["red fox"])
    #expect(spaced.path(at: 0) == "\(folder.path)/my cat.jpg")
  }

  /// A list of about 290 KB, read in several blocks.
  @Test("Many lines keep their order")
  func manyLinesKeepTheirOrder() throws {
    let path = try list((0..<20_000).map { "a/\($0).jpg \($0 % 7)\n" }.joined())
    let table = try ListTable(path)
    try #require(table.count == 20_000)
    #expect(labels(table) == (0..<20_000).map { $0 % 7 })
    #expect(
      (0..<20_000).allSatisfy { table.path(at: $0) == "\(folder.path)/a/\($0).jpg" })
  }

  @Test("A missing file is named with its line")
  func aFileThatIsMissingIsNamedWithItsLine() throws {
    let table = try ListTable(list("# one\ngone.jpg 1\n"))
    expectError(.io, naming: ["\(folder.path)/gone.jpg (line 2 of", "/val.txt)", "check the path"]) {
      _ = try table.image(at: 0)
    }
  }
}

@Suite("Broken lists of images") struct BrokenListTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expectBroken(
    _ bytes: [UInt8], naming words: [String], classNames: [String]? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let path = try folder.write("val.txt", bytes)
    expectError(.badData, naming: ["\(folder.path)/val.txt"] + words, sourceLocation: sourceLocation) {
      _ = try ListTable(path, classNames: classNames)
    }
  }

  @Test("Missing lists and folders are refused")
  func missingListsAndFoldersAreRefused() throws {
    expectError(.io, naming: ["\(folder.path)/val.txt: no such file"]) {
      _ = try ListTable("\(folder.path)/val.txt")
    }
    expectError(.usage, naming: ["is a folder", "folder:\(folder.path)"]) { _ = try ListTable(folder.path) }
  }

  @Test("Empty lists are refused", arguments: ["", "\n\n", "# only\n  # comments", "\u{FEFF}\r\n"])
  func emptyListsAreRefused(_ text: String) throws {
    try expectBroken(Array(text.utf8), naming: ["no images listed", "PATH LABEL"])
  }

  @Test("Lines without a label are refused")
  func linesWithoutALabelAreRefused() throws {
    try expectBroken(Array("a.jpg 1\n#\nb.jpg\n".utf8), naming: ["val.txt:3: no label"])
    try expectBroken(Array("a.jpg\t\n".utf8), naming: ["val.txt:1: no label"])
    try expectBroken(
      Array("ImageId,PredictionString\n".utf8), naming: ["val.txt:1: columns separated by commas"])
    for line in ["my cat.jpg", "3 cat.JPEG", "3\tcat.png"] {
      try expectBroken(Array("a.jpg 1\n\(line)\n".utf8), naming: ["val.txt:2: ends in cat."])
    }
  }

  @Test("Labels outside the classes are refused")
  func labelsOutsideTheClassesAreRefused() throws {
    let names = ["n1", "n2"]
    try expectBroken(
      Array("a n1\nb n3\nc n4\n".utf8), naming: ["val.txt:2: label \"n3\"", "2 expected classes (n1, …)"],
      classNames: names)
    try expectBroken(
      Array("a 1\nb 0\nc 2\n".utf8), naming: ["val.txt:3: label 2 ", "(0 to 1)"], classNames: names)
    try expectBroken(Array("a 1\nb n1\n".utf8), naming: ["val.txt:1: label \"1\""], classNames: names)
    try expectBroken(Array("a -1\n".utf8), naming: ["val.txt:1: label \"-1\""], classNames: names)
    for number in ["2147483648", "99999999999999999999"] {
      try expectBroken(
        Array("a 1\nb \(number)\n".utf8), naming: ["val.txt:2: label \(number)", "(0 to 1)"],
        classNames: names)
    }
  }

  @Test("Lines have a maximum length")
  func linesHaveAMaximumLength() throws {
    let longest = [UInt8](repeating: UInt8(ascii: "a"), count: LineReader.longestLine - 2) + Array(" 1".utf8)
    let path = try folder.write("val.txt", Array("b 0\n".utf8) + longest)
    #expect(try ListTable(path).count == 2)
    for end in ["", "\n", "\nc 2\n"] {
      try expectBroken(
        Array("b 0\na".utf8) + longest + Array(end.utf8),
        naming: ["val.txt:2: line longer than 8192 bytes"])
    }
  }

  /// An archive passed by mistake may have many gigabytes before its first line end.
  @Test("A file without line ends is refused at its start")
  func aFileWithoutLineEndsIsRefusedAtItsStart() throws {
    let path = try folder.write("val.txt", [UInt8](repeating: 7, count: 1 << 20))
    var reader = try LineReader(path)
    expectError(.badData, naming: ["val.txt:1: line longer than 8192 bytes"]) { _ = try reader.next() }
    #expect(lseek(reader.file.descriptor, 0, SEEK_CUR) <= 1 << 16)
  }

  /// Opening a pipe without a writer would wait.
  @Test("A listed pipe is refused, and not waited for")
  func pipesAreRefused() throws {
    #expect(mkfifo("\(folder.path)/p.png", 0o600) == 0)
    let path = try folder.write("val.txt", Array("p.png 0\n/dev/null 0\n".utf8))
    let table = try ListTable(path)
    for row in 0..<2 {
      expectError(
        .io, naming: [row == 0 ? "p.png" : "/dev/null", "(line \(row + 1) of", "is a pipe or a device"]
      ) {
        _ = try table.image(at: row)
      }
    }
  }

  @Test("Files that are not text are refused")
  func binaryFilesAreRefused() throws {
    try expectBroken(Array("a 1\nb".utf8) + [0xE9] + Array(" 1\n".utf8), naming: ["val.txt:2: not UTF-8"])
    try expectBroken([0xFF, 0xFE] + Array("a 1\n".utf8), naming: ["val.txt:1: not UTF-8"])
    try expectBroken("a 1\n".utf8.flatMap { [$0, 0] }, naming: ["val.txt:1: not UTF-8"])
    try expectBroken(tarBytes(tarSamples(3)), naming: ["val.txt:1: "])
    for seed in 0..<50 as Range<UInt64> {
      var generator = SeededGenerator(seed: seed, .test)
      let bytes = (0..<20_000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
      try expectBroken(bytes, naming: ["val.txt:"])
    }
  }
}
