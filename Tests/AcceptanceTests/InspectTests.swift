import Foundation
import OnePassCore
import TestSupport
import TestTraits
import Testing

@testable import OnePassData

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The text and the page of `memory inspect`.
@Suite("Inspecting the memory of a run", .waitsForPrograms) struct InspectTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }
  /// Hostile class names: markup, a bidirectional override, and a very long name.
  static let classes = [
    "<script>alert(1)<", "猫 \u{202E}\"'&amp;", String(repeating: "long name ", count: 20),
  ]
  static let count = 120

  init() throws {
    let folder = try TemporaryFolder()
    for index in 0..<Self.count {
      try folder.write(
        try ForgettingTests.file(index),
        to: "photos/\(Self.classes[index % 3])/person-\(index % 8)/\(index).png")
    }
    runs = RunFixture(
      folder, data: "folder:\(folder.file("photos"))",
      options: [
        "--model", "resnet8", "--batch-size", "8", "--replay-steps", "1", "--storage", "50%", "--threads",
        "1",
        "--quiet",
      ])
  }

  /// A page, checked to be well-formed XML that loads nothing.
  struct Page {
    let text: String
    /// The descriptions of the images.
    private(set) var descriptions: [String] = []
    private(set) var pictures: [EncodedImage] = []

    init(_ bytes: [UInt8]) throws {
      text = String(decoding: bytes, as: UTF8.self)
      let parser = XMLParser(data: Data(bytes))
      let images = Images()
      parser.delegate = images
      #expect(parser.parse(), "\(String(describing: parser.parserError)) in line \(parser.lineNumber)")
      for image in images.attributes {
        let parts = try #require(image["src"]).split(separator: ",", maxSplits: 1).map(String.init)
        #expect(["data:image/png;base64", "data:image/jpeg;base64"].contains(parts[0]))
        pictures.append(EncodedImage(bytes: Array(try #require(Data(base64Encoded: parts[1])))))
        descriptions.append(try #require(image["alt"]))
      }
      for outside in ["<script", "http://", "https://", "url(", "@import", "<link", "file:"] {
        let own = text.replacing("http://www.w3.org/2000/svg", with: "")
          .replacing("http://www.w3.org/1999/xhtml", with: "")
        #expect(!own.contains(outside), "\(outside)")
      }
    }
  }

  /// The attributes of each image.
  final class Images: NSObject, XMLParserDelegate {
    var attributes: [[String: String]] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String] = [:]
    ) {
      if name == "img" { self.attributes.append(attributes) }
    }
  }

  func page(_ more: [String] = []) throws -> Page {
    let outcome = try onepass.run(
      [
        "memory", "inspect", folder.file("run"), "--html", folder.file("page.html"),
      ] + more)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try Page(folder.bytes(of: "page.html"))
  }

  /// All files with their contents, to check that nothing changes.
  func files() throws -> [String: Data] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).reduce(into: [:]) { files, name in
      if !name.hasSuffix("page.html") {
        files[name] = FileManager.default.contents(atPath: folder.file(name))
      }
    }
  }

  /// The decoded pixels of an image.
  func pixels(_ image: EncodedImage) throws -> [UInt8] {
    try ImageDecoder().decode(image, channels: 1).pixels
  }

  @Test("A finished run shows its items of highest and lowest priority")
  func aFinishedRunShowsTheEndsOfItsPriorities() throws {
    let trained = try runs.train("run", ["--keep-pictures", "7", "--json"])
    #expect(trained.json.number("storage.pictures.examples") == 14)
    // 60 items of about 340 bytes. The copies do not count as bytes of the memory.
    #expect(trained.json.number("storage.examples") == 60)

    let before = try files()
    let shown = try page(["--pictures", "5"])
    #expect(shown.pictures.count == 10)
    // The order follows from the table of the checkpoint.
    let rows = try runs.memory("run").map { $0.compactMap(Double.init) }
    let sorted = rows.sorted { ($0[3], $0[2]) > ($1[3], $1[2]) }.map { Int($0[0]) }
    for (index, id) in (sorted.prefix(5) + sorted.reversed().prefix(5)).enumerated() {
      let row = try #require(rows.first { Int($0[0]) == id })
      let name = Self.classes.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }[Int(row[1])]
      #expect(shown.descriptions[index] == "Example \(id), labelled \(name)")
    }
    // Each is one of the stream's images, pixel for pixel.
    let all = Set(try (0..<Self.count).map { try pixels(EncodedImage(bytes: ForgettingTests.file($0))) })
    for picture in shown.pictures {
      let header = try ImageHeader.read(picture)
      #expect(try header.format == .png && header.width == 16 && all.contains(pixels(picture)))
    }
    #expect(shown.text.contains("✓ predicted: ") || shown.text.contains("✗ predicted: "))
    #expect(try !page(["--no-predictions"]).text.contains(" predicted: <bdi>"))
    // A request for more images than the run kept shows those that it has, with a note.
    let most = try page(["--pictures", "20"])
    #expect(most.pictures.count == 14 && most.text.contains("kept images of 7 of these items"))
    #expect(try files() == before)
    // The page of another run, or any other file, is not overwritten.
    for other in ["<title>The memory of another</title>", "\u{FF}notes"] {
      try folder.write(Array(other.utf8), to: "page.html")
      let refused = try onepass.run(
        ["memory", "inspect", folder.file("run"), "--html", folder.file("page.html")])
      #expect(refused.status == 64 && refused.errors.contains("is not a page of"), "\(refused.errors)")
      #expect(try folder.bytes(of: "page.html") == Array(other.utf8))
    }

    let figures = try onepass.run(["memory", "inspect", folder.file("run"), "--json", "--pictures", "3"]).json
    #expect(
      figures.number("items") == 60 && figures.number("fill") == 1 && figures.number("balance.held") == 3)
    let highest = try #require(figures["highest"] as? [[String: Any]])
    #expect(highest.compactMap { $0["position"] as? Int } == Array(sorted.prefix(3)))
    let table = try onepass.run(["memory", "inspect", folder.file("run")])
    #expect(table.output.contains("60 of 60: 100.0 % full") && table.output.contains("highest priorities"))
    // The bidirectional override does not reach the terminal.
    #expect(!table.output.contains("\u{202E}"))

    let verified = try onepass.run(["memory", "verify", folder.file("run"), "--json"])
    #expect(verified.status == 0 && verified.json.number("items") == 14, "\(verified.errors)")
    #expect(verified.json.number("itemsByPosition") == 46)
  }

  @Test("A run can be inspected while it trains, and nothing changes")
  func aRunCanBeInspectedWhileItTrains() throws {
    for more in [[], ["--memory-directory", "@memory"]] {
      try? FileManager.default.removeItem(atPath: folder.file("run"))
      let running = try runs.start("run", ["--checkpoint-every", "6"] + more)
      #expect(running.wait { runs.hasCheckpoint(of: 6, "run") }, "\(running.errors)")
      // The run holds its locks. It is paused, possibly during a change, so that the files can be compared.
      running.signal(SIGSTOP)
      let before = try files()
      let shown = try page(["--pictures", "4"])
      let lost = shown.text.components(separatedBy: "class=\"lost\"").count - 1
      #expect(shown.pictures.count + lost == 8 && shown.pictures.count > 0)
      #expect(shown.text.contains("The run is not finished"))
      let table = try onepass.run(["memory", "inspect", folder.file("run")])
      #expect(table.output.contains("not finished: step"), "\(table.errors)")
      #expect(try files() == before)
      running.signal(SIGCONT)
      #expect(running.wait() == 0, "\(running.errors)")
    }
    // A finished run with a memory directory has all its images there, and copies none.
    #expect(try page().pictures.count == 48 && !folder.exists("run/checkpoint/pictures"))
    try FileManager.default.moveItem(atPath: folder.file("run-memory"), toPath: folder.file("moved"))
    #expect(try page().text.contains("--memory-directory"))
    #expect(try page(["--memory-directory", folder.file("moved")]).pictures.count == 48)
  }

  @Test(
    "A page without images says why",
    arguments: [
      ([], "train with --keep-pictures N"), (["--time-to-live", "50"], "--time-to-live"),
    ])
  func aPageWithoutImagesSaysWhy(options: [String], reason: String) throws {
    try runs.train("run", options)
    let shown = try page()
    #expect(shown.pictures.isEmpty && shown.text.contains(reason))
    #expect(!folder.exists("run/checkpoint/pictures") && !folder.exists("run/checkpoint/memory.index"))
    #expect(
      try (0..<Self.count).allSatisfy { index in
        let trace = Data(try ForgettingTests.file(index)[80..<104])
        return try files().allSatisfy { $0.hasPrefix("photos") || $1.range(of: trace) == nil }
      })
  }

  /// Each item has the prediction of its last replay.
  @Test("Stored predictions are shown")
  func storedPredictionsAreShown() throws {
    try runs.train("run", ["--stored-predictions", "0.3"])
    let figures = try onepass.run(["memory", "inspect", folder.file("run"), "--json", "--pictures", "60"])
      .json
    let recognised = try #require(figures.number("recognised"))
    // With so many items of either end, all items are listed.
    let items = ["highest", "lowest"].flatMap { figures[$0] as? [[String: Any]] ?? [] }
    let all = Dictionary(items.map { ($0["position"] as? Int, $0) }) { first, _ in first }.values
    #expect(all.count == 60)
    var own = 0
    for item in all {
      let prediction = try #require(item["prediction"] as? [[String: Any]])
      #expect(prediction.count == 3 && prediction[0]["className"] is String)
      let sum = prediction.reduce(0) { $0 + ($1["probability"] as? Double ?? 0) }
      #expect(abs(sum - 1) < 1e-5)
      if prediction[0]["label"] as? Int == item["label"] as? Int { own += 1 }
    }
    #expect(Double(own) == recognised)
    let text = try onepass.run(["memory", "inspect", folder.file("run")]).output
    #expect(
      text.contains(
        "predictions \(own) of the items were predicted correctly when their prediction was stored"))
    // In this line, and in the headings of both tables.
    #expect(text.components(separatedBy: "predicted").count == 1 + 3, "\(text)")
    #expect(try page().text.contains("<dt>predicted correctly</dt><dd><b>\(own)</b>"))
    try runs.train("without")
    #expect(!(try onepass.run(["memory", "inspect", folder.file("without")]).output.contains("predicted")))
  }

  @Test("A damaged image is reported")
  func aDamagedImageIsReported() throws {
    try runs.train("run", ["--keep-pictures", "4"])
    let path = "run/checkpoint/pictures/images.sqlite"
    let whole = try folder.bytes(of: path)
    let place = try #require(
      try (0..<Self.count).lazy.compactMap { index in
        Data(whole).range(of: Data(try ForgettingTests.file(index)[80..<104]))?.lowerBound
      }.first)
    var changed = whole
    changed[place] ^= 1
    try folder.write(changed, to: path)
    let shown = try page()
    #expect(shown.pictures.count == 7 && shown.text.contains("The stored image cannot be read."))
    let verified = try onepass.run(["memory", "verify", folder.file("run")])
    #expect(
      verified.status == 65 && verified.errors.contains("does not match its checksum"), "\(verified.errors)")

    try folder.write(
      Array("no database at all, but long enough to be one".utf8) + whole.dropFirst(45), to: path)
    #expect(try page().text.contains("is damaged; remove this folder"))
    let forgotten = try onepass.run(["memory", "forget", folder.file("run"), "--position", "3"])
    #expect(forgotten.status == 65 && forgotten.errors.contains("remove this folder"), "\(forgotten.errors)")
    try FileManager.default.removeItem(atPath: folder.file("run/checkpoint/pictures"))
    #expect(try page().text.contains("its folder `pictures` was removed"))
    #expect(try onepass.run(["memory", "forget", folder.file("run"), "--position", "3"]).status == 0)
    try runs.expectVerified("run")
  }

  @Test("Contradictory options for kept images are refused")
  func contradictoryOptionsAreRefused() throws {
    for (arguments, sentence) in [
      (["--keep-pictures", "501"], "--keep-pictures must be between 0 and 500 (got 501)."),
      (
        ["--keep-pictures", "5", "--time-to-live", "50"],
        "has no effect with --time-to-live, which the copies would outlive"
      ),
      (
        ["--keep-pictures", "5", "--memory-directory", "@memory"],
        "has no effect with --memory-directory, which keeps all images"
      ),
    ] {
      let outcome = try runs.attempt("run", arguments)
      #expect(outcome.status == 64 && outcome.errors.contains(sentence), "\(outcome.errors)")
    }
    try runs.train("run", ["--method", "naive"])
    let naive = try onepass.run(["memory", "inspect", folder.file("run")])
    #expect(naive.status == 64 && naive.errors.contains("had no replay memory"), "\(naive.errors)")
    let nowhere = try onepass.run([
      "memory", "inspect", folder.file("run"), "--html", folder.file("none/page.html"),
    ])
    #expect(nowhere.status != 0 && !folder.exists("none"))
  }

  /// The first rank keeps the images that one process would keep, whichever rank stores them.
  @Test("Several ranks keep the images that one process keeps")
  func severalRanksKeepTheSameImages() throws {
    let outcomes = try Ranks.run(2, of: onepass, runs.arguments("run", ["--keep-pictures", "6"]))
    for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
    #expect(try page().pictures.count == 12)
    let verified = try onepass.run(["memory", "verify", folder.file("run"), "--json"])
    #expect(verified.status == 0 && verified.json.number("items") == 12, "\(verified.errors)")
  }
}
