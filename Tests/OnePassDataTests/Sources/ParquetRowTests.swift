import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

/// The choice of columns, the meaning of labels, and rows that are left out.
@Suite("Rows of Parquet files") struct ParquetRowTests {
  private func labels(_ source: ParquetSource) throws -> [Int] { try takeAll(source).map(\.label) }

  private func choices(_ source: ParquetSource) -> [String] {
    source.report.choices.map { "\($0.what): \($0.taken), not \($0.others)" }
  }

  // MARK: Columns

  @Test(
    "The usual names are taken first, and the choice is reported",
    arguments: [
      ("two-images", "image", "label", [0, 1, 2], ["the image column: image, not [\"annotation\"]"]),
      (
        "fine-coarse", "img", "fine_label", [0, 1, 2],
        ["the label column: fine_label, not [\"coarse_label\"]"]
      ),
      ("one-of-each", "photo", "species", [0, 1, 2], []),
      ("named-class", "photo", "Category", [2, 0, 1], []),
    ])
  func usualNamesComeFirst(
    file: String, image: String, label: String, first: [Int], expected: [String]
  ) throws {
    let source = try openFixtures(file)
    let examples = try takeAll(source)
    #expect(examples.map(\.image.bytes) == (try ParquetVariants.images(of: file, image)))
    #expect(examples.prefix(3).map(\.label) == first && choices(source) == expected)
    // Nothing is left to choose if the columns are named.
    let named = try openFixtures(file, image: image, label: label)
    #expect(try takeAll(named).map(\.image) == examples.map(\.image) && named.report.isEmpty)
  }

  @Test("Columns that are named are taken")
  func namedColumnsAreTaken() throws {
    let images = try takeAll(openFixtures("two-images", image: "annotation")).map(\.image.bytes)
    #expect(images == (try ParquetVariants.images(of: "two-images", "annotation")))
    let part = try openFixtures("two-images", image: "annotation.bytes")
    #expect(try takeAll(part).map(\.image.bytes) == images && part.report.isEmpty)
    let coarse = try openFixtures("fine-coarse", label: "coarse_label")
    #expect(try labels(coarse).prefix(4) == [0, 1, 0, 1] && coarse.classNames == ["x", "y"])
    #expect(try labels(openFixtures("no-label", label: "id")).prefix(3) == [0, 1, 2])
  }

  @Test("Files in which names do not decide are refused with the candidates and the option")
  func ambiguousFilesAreRefused() throws {
    let refused: [(file: String, words: [String])] = [
      ("left-right", ["its columns left, right could each be the image column", "--image-column"]),
      ("two-labels", ["its columns class, target could each be the label column", "--label-column"]),
      ("no-label", ["no column of labels", "image, id, score, tags", "--label-column"]),
      ("no-image", ["no column of images", "url, label", "--image-column"]),
    ]
    for (file, words) in refused { expectError(.badData, naming: words) { _ = try openFixtures(file) } }
    let named: [(image: String?, label: String?, words: [String])] = [
      ("photo", nil, ["--image-column photo", "no such column", "image, id, score, tags"]),
      ("id", nil, ["--image-column id", "has type INT64"]),
      (nil, "image", ["--label-column image", "has type a structure"]),
      (nil, "score", ["--label-column score", "has type DOUBLE", "integers, text or Boolean"]),
      (nil, "tags", ["--label-column tags", "has type a list"]),
      (nil, "", ["--label-column : ", "no such column"]),
    ]
    for (image, label, words) in named {
      expectError(.usage, naming: words) { _ = try openFixtures("no-label", image: image, label: label) }
    }
    expectError(.usage, naming: ["--image-column x", "only Parquet files", "fashion-mnist"]) {
      _ = try SourceRegistry.open("fashion-mnist", seed: 1, imageColumn: "x")
    }
    expectError(.usage, naming: ["--label-column x", "only Parquet files", "wds:-"]) {
      _ = try SourceRegistry.open("wds:-", seed: 1, labelColumn: "x")
    }
  }

  @Test("A further file with other columns is read, and the choice is reported")
  func furtherFilesMayHaveOtherColumns() throws {
    let source = try openFixtures("ordered", "fine-coarse", "fine-coarse")
    #expect(try takeAll(source).count == 36)
    let subjects = source.report.choices.map { $0.what.prefix { $0 != "/" } }
    #expect(subjects == ["the label column", "the image column of ", "the label column of "])
    #expect(source.report.choices.map(\.taken) == ["fine_label", "img", "fine_label"])
  }

  @Test("A row group with nulls only is read, and its rows are counted", arguments: ["gzip", "zstd"])
  func rowGroupsOfNullsAreRead(codec: String) throws {
    let source = try openFixtures("nulls-\(codec)")
    #expect(source.knownCount == 8 && source.knownClassCount == nil)
    #expect(try takeAll(source).map(\.label) == [0, 1, 0, 1, 0, 1, 0, 1])
    #expect(source.report.counts == ["row without an image": 4, "row without a label": 4])
    #expect(try Survey.of(openFixtures("nulls-\(codec)")) == Survey(count: 8, classCount: 2))
  }

  // MARK: Labels

  @Test("Text stands for the classes that occur, sorted by bytes, or for given names")
  func textStandsForNames() throws {
    let text = try openFixtures("text")
    #expect(text.classNames == ["ant", "bee", "cow"] && text.knownClassCount == 3 && text.report.isEmpty)
    #expect(try labels(text) == [2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0])
    let given = try openFixtures("text", classNames: ["cow", "eel", "bee", "ant"])
    #expect(try labels(given).prefix(4) == [0, 3, 2, 3])
    expectError(.badData, naming: ["text.parquet, row 1: label \"ant\"", "2 expected classes (cow, …)"]) {
      _ = try takeAll(openFixtures("text", classNames: ["cow", "bee"]))
    }
    expectError(.badData, naming: ["text-empty.parquet, row 1: label \"\""]) {
      _ = try takeAll(openFixtures("text-empty"))
    }
    let once = [2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0]
    #expect(try labels(openFixtures("text", "named-class")) == once + once)
  }

  @Test("Numbers in text are positions, or names if they are too sparse")
  func numbersInText() throws {
    let numbers = try openFixtures("text-numbers")
    #expect(numbers.classNames == nil && numbers.knownClassCount == 3 && numbers.report.isEmpty)
    #expect(try labels(numbers).prefix(4) == [0, 1, 2, 0])
    let identifiers = try openFixtures("text-identifiers")
    #expect(identifiers.classNames == ["90001234", "90001235", "90001236"])
    #expect(try labels(identifiers).prefix(4) == [0, 1, 2, 0])
    #expect(
      choices(identifiers).count == 1 && choices(identifiers)[0].hasPrefix("the meaning of the numeric"))
  }

  /// Numbers without class names are counted by a survey.
  @Test("A survey finds the classes of numbers")
  func surveysFindClasses() throws {
    let numbers = try openFixtures("numbers")
    #expect(numbers.knownClassCount == nil && numbers.knownCount == 12)
    #expect(try Survey.of(numbers) == Survey(count: 12, classCount: 3))
    #expect(numbers.position == 0 && numbers.classNames == nil && numbers.report.isEmpty)
    #expect(try labels(numbers).prefix(4) == [0, 1, 2, 0])
    let identifiers = try openFixtures("identifiers")
    #expect(try labels(identifiers).first == 90_001_234)
    let surveyed = try openFixtures("identifiers")
    #expect(try Survey.of(surveyed).classCount == 3 && choices(surveyed).count == 1)
    #expect(try labels(surveyed).prefix(3) == [2, 1, 0])
    let named = try openFixtures("identifiers", classNames: ["90001233", "90001234", "90001232"])
    #expect(try labels(named).prefix(3) == [1, 0, 2])
    expectError(.badData, naming: ["row 0: label 90001234 is out of range (0 to 1)"]) {
      _ = try takeAll(openFixtures("identifiers", classNames: ["a", "b"]))
    }
  }

  @Test("Boolean labels are false and true, in the order of given names")
  func booleanLabels() throws {
    let plain = try openFixtures("boolean")
    #expect(plain.classNames == ["false", "true"] && plain.report.isEmpty)
    #expect(try labels(plain).prefix(4) == [1, 0, 0, 1])
    for names in [["true", "false"], ["True", "False"]] {
      let named = try openFixtures("boolean", classNames: names)
      #expect(try labels(named).prefix(4) == [0, 1, 1, 0] && named.report.isEmpty)
    }
    let positions = try openFixtures("boolean", classNames: ["cat", "dog"])
    #expect(try labels(positions).prefix(4) == [1, 0, 0, 1])
    #expect(choices(positions) == ["the classes of Boolean labels: cat for false, dog for true, not []"])
  }

  @Test("Class names in another order are read by name, and the choice is reported")
  func otherOrdersAreReadByName() throws {
    let same = try labels(openFixtures("ordered"))
    #expect(same.prefix(4) == [0, 1, 2, 0])
    let both = try openFixtures("ordered", "reversed", "fewer")
    #expect(try labels(both) == same + same + [2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0])
    #expect(both.classNames == ["ant", "bee", "cow"] && both.report.choices.count == 1)
    let choice = try #require(both.report.choices.first)
    #expect(choice.what == "the numbers of the classes" && choice.taken.hasSuffix("/ordered.parquet"))
    #expect(choice.others.count == 1 && choice.others[0].hasSuffix("/reversed.parquet"))
    let given = try openFixtures("ordered", classNames: ["cow", "bee", "ant", "eel"])
    #expect(try labels(given).prefix(3) == [2, 1, 0] && given.report.choices.count == 1)
    #expect(try openFixtures("ordered", "ordered").report.isEmpty)
    expectError(.badData, naming: ["other.parquet: class \"eel\"", "ordered.parquet (ant, …)"]) {
      _ = try openFixtures("ordered", "other")
    }
    let unnamed = try openFixtures("ordered", "numbers")
    #expect(try labels(unnamed) == same + same)
    #expect(unnamed.report.choices.map(\.what) == ["the classes of files without class names"])
    #expect(try labels(openFixtures("ordered", "text")) == same + [2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1, 0])
    expectError(.badData, naming: ["outside.parquet, row 4: label -1 is out of range (0 to 1)"]) {
      _ = try takeAll(openFixtures("outside"))
    }
  }

  // MARK: Rows that are left out

  @Test("Rows without a label are left out and reported")
  func rowsWithoutLabels() throws {
    let source = try openFixtures("text-missing")
    #expect(source.knownCount == 9 && source.classNames == ["ant", "bee", "cow"])
    #expect(try labels(source) == [2, 1, 0, 2, 0, 0, 2, 0, 1])
    #expect(source.report.counts == ["row without a label": 3])
    #expect(source.report.leftOut[0].example.hasSuffix("text-missing.parquet, row 1"))
    try checkConformance(count: 9, isShuffled: false) { _ in try openFixtures("text-missing") }
  }

  @Test("Rows without an image are left out and reported")
  func rowsWithoutImages() throws {
    let source = try openFixtures("gaps")
    #expect(source.knownCount == nil)
    #expect(try Survey.of(source) == Survey(count: 8, classCount: 2) && source.knownCount == 8)
    #expect(source.position == 0 && source.report.isEmpty)
    let images = try ParquetVariants.images(of: "gaps", "image").enumerated().filter { $0.offset != 5 }
    #expect(try takeAll(source).map(\.image.bytes) == images.compactMap(\.element))
    #expect(source.report.counts == ["row without an image": 3, "row without a label": 1])
    #expect(try openFixtures("gaps-images").knownCount == 9)
    for file in ["gaps", "gaps-images"] {
      let count = try takeAll(openFixtures(file)).count
      try checkConformance(count: count, isShuffled: false) { _ in try openFixtures(file) }
    }
  }

  /// The report of a stopped run is saved at its position, and a resumed source adds what comes after it.
  @Test(
    "A source resumes with the report of its position", arguments: ["gaps", "text-missing", "paths-mixed"])
  func reportsResume(file: String) throws {
    let whole = try openFixtures(file)
    let count = try takeAll(whole).count
    // A run counts its examples when it starts, and need not count them again when it resumes.
    for (countsFirst, counts) in [(true, true), (true, false), (false, true), (false, false)] {
      for position in 0...count {
        let first = try openFixtures(file)
        if countsFirst { _ = try first.survey() }
        #expect(try first.skip(position) == position)
        let resumed = try openFixtures(file)
        if counts { _ = try resumed.survey() }
        try resumed.restore(position: position)
        resumed.restore(report: first.report)
        _ = try takeAll(resumed)
        #expect(resumed.report == whole.report, "\(file) at \(position)")
      }
    }
  }

  @Test("A file whose footer states other numbers of missing values is refused")
  func wrongStatisticsAreRefused() throws {
    let folder = try TemporaryFolder()
    let access = try ParquetAccess(ParquetVariants.path("gaps"), HTTPLimits())
    let footer = try access.footer()
    var bytes = try contents(of: ParquetVariants.path("gaps"))
    // The footer follows the last chunk. `null_count` is field 3 of the statistics, behind two texts.
    let chunk = try footer.chunk(of: #require(footer.leaves.first), group: 0)
    #expect(chunk.missing == 1)
    var refused = 0
    for place in (bytes.count - 8 - 1_500)..<(bytes.count - 8) where bytes[place] == 2 {
      bytes[place] = 0
      let path = try folder.write("x.parquet", bytes)
      do { _ = try takeAll(ParquetSource(path)) } catch let error as OnePassError {
        if error.message.contains("have an image and a label, but") { refused += 1 }
      }
      bytes[place] = 2
    }
    #expect(refused > 0)
  }

  // MARK: Paths

  @Test("Paths are relative to the folder of the Parquet file; missing files are left out")
  func pathsAreRelative() throws {
    let expected = try (0..<4).map {
      try contents(of: ParquetVariants.path("paths").replacing("paths.parquet", with: "images/\($0).png"))
    }
    let counts = [
      "row whose image file is missing": 2, "row without an image": 1,
      "row whose image is at another address": 1,
    ]
    for file in ["paths", "paths-null", "file-names"] {
      let source = try openFixtures(file)
      #expect(try takeAll(source).map(\.image.bytes) == expected && source.report.counts == counts, "\(file)")
      #expect(source.report.choices.isEmpty && source.knownCount == 4)
      try checkConformance(count: 4, isShuffled: false) { _ in try openFixtures(file) }
    }
  }

  @Test("The path of a row counts only without bytes")
  func bytesComeBeforePaths() throws {
    let stored = try ParquetVariants.images(of: "paths-mixed", "image")
    let file = try contents(
      of: ParquetVariants.path("paths").replacing("paths.parquet", with: "images/0.png"))
    let source = try openFixtures("paths-mixed")
    // Rows 0 (a file), 3, 5 and 7 (bytes). Row 1 has no label, rows 2, 4 and 6 no bytes.
    let sixth = try contents(
      of: ParquetVariants.path("paths").replacing("paths.parquet", with: "images/3.png"))
    #expect(try takeAll(source).map(\.image.bytes) == [file, stored[3], stored[5], sixth, stored[7]])
    #expect(
      source.report.counts == [
        "row without a label": 1, "row whose image file is missing": 1, "row without an image": 1,
      ])
    let unstated = try openFixtures("paths-unstated")
    #expect(unstated.knownCount == nil)
    #expect(try Survey.of(unstated).count == 6 && takeAll(unstated).count == 6)
  }

  @Test("Images beside a file at an address are left out")
  func pathsAtAnAddress() throws {
    func open(_ name: String) throws -> (server: LoopbackServer, source: ParquetSource) {
      let whole = try contents(of: ParquetVariants.path(name))
      let server = try LoopbackServer { request, _, connection in
        let numbers = (request.headers["range"] ?? "").split { !$0.isNumber }.compactMap { Int($0) }
        let (start, end) = (numbers[0], numbers[1] + 1)
        connection.head(
          "206 Partial Content",
          ["Content-Length": "\(end - start)", "Content-Range": "bytes \(start)-\(end - 1)/\(whole.count)"])
        connection.send(Array(whole[start..<end]))
      }
      return (server, try ParquetSource(server.url("\(name).parquet")))
    }
    let (server, source) = try open("paths")
    #expect(try source.knownCount == 0 && source.next() == nil)
    #expect(
      source.report.counts == ["row whose image is at another address": 7, "row without an image": 1])
    #expect(source.report.leftOut[0].example.hasSuffix("paths.parquet, row 0"))
    let (mixedServer, mixed) = try open("paths-mixed")
    expectError(.usage, naming: ["paths-mixed.parquet", "--limit"]) { _ = try Survey.of(mixed) }
    #expect(try takeAll(mixed).count == 3 && mixed.report.leftOutCount == 5)
    _ = (server, mixedServer)
  }

  // MARK: Open files

  @Test("One file is open at a time, and a file that is replaced is refused")
  func filesAreOpenOneAtATime() throws {
    func openFiles() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { name in
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)")
        return target?.contains("one-at-a-time") ?? false
      }.count
    }
    let folder = try TemporaryFolder()
    let names = (0..<40).map { "one-at-a-time-\($0).parquet" }
    for name in names { try folder.write(name, contents(of: ParquetVariants.path("numbers"))) }
    let source = try ParquetSource("\(folder.path)/one-at-a-time-{0..39}.parquet")
    #expect(try openFiles() == 0)
    for _ in 0..<480 {
      _ = try #require(try source.next())
      #expect(try openFiles() <= 1)
    }
    let other = try ParquetSource("\(folder.path)/one-at-a-time-{0..39}.parquet")
    try folder.write(names[1], contents(of: ParquetVariants.path("text")))
    #expect(try other.skip(12) == 12)
    expectError(.badData, naming: ["one-at-a-time-1.parquet: the file was changed after its footer"]) {
      _ = try other.next()
    }
  }
}
