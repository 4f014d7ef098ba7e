import CArchive
import Foundation
import OnePassCore
import Testing

@testable import OnePassData

/// The samples of shards that other programs write, and what is reported of the rest.
@Suite("Unusual shards") struct ShardReportTests {
  typealias Entries = [(name: String, body: [UInt8])]

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Entries with their name as the image, and a label that is a number.
  private func entries(_ names: [String], label: (String) -> Int = { _ in 1 }) -> Entries {
    names.map { ($0, $0.hasSuffix(".cls") ? Array("\(label($0))".utf8) : Array($0.utf8)) }
  }

  private func source(_ bytes: [UInt8], _ labelKey: LabelKey = .entry) throws -> WebDatasetSource {
    try WebDatasetSource(folder.write("t.tar", bytes), labelKey: labelKey)
  }

  /// The images as text, with labels, in order.
  private func samples(_ source: WebDatasetSource) throws -> [String] {
    try takeAll(source).map { "\(String(decoding: $0.image.bytes, as: UTF8.self)) \($0.label)" }
  }

  // MARK: Keys

  /// Dogs vs. Cats: cat.0.jpg and cat.0.cls, of which webdataset's rule makes the one sample `cat`.
  @Test("Names with dots are samples of their own", arguments: [true, false])
  func dottedNamesAreSamples(adjacent: Bool) throws {
    let names = ["cat.0", "cat.1", "cat.2", "dog.0", "dog.1"]
    let all =
      adjacent
      ? names.flatMap { ["\($0).cls", "\($0).png"] } : names.map { "\($0).png" } + names.map { "\($0).cls" }
    let shard = tarBytes(entries(all) { $0.hasPrefix("cat") ? 0 : 1 })
    let source = try source(shard)
    #expect(try samples(source) == names.map { "\($0).png \($0.hasPrefix("cat") ? 0 : 1)" })
    #expect(source.report.choices.map(\.what) == ["the keys of samples"] && source.report.leftOut.isEmpty)
    #expect(try Survey.of(self.source(shard)).count == 5)
    try checkConformance(count: 5, isShuffled: false) { _ in try self.source(shard) }
  }

  /// The same in samples whose label is a field, and in names of dates.
  @Test("Names with dots are samples of their own where the label is a field")
  func dottedNamesWithFields() throws {
    let names = ["2024.01.05", "2024.01.06", "2024.02.05"]
    let all: Entries = names.enumerated().flatMap { number, name -> Entries in
      [("\(name).jpg", Array(name.utf8)), ("\(name).json", Array(#"{"y": \#(number)}"#.utf8))]
    }
    let source = try source(tarBytes(all), .field("y"))
    #expect(try samples(source) == ["2024.01.05 0", "2024.01.06 1", "2024.02.05 2"])
    #expect(source.report.choices.map(\.what) == ["the keys of samples"])
  }

  @Test("Further images and labels of a sample are reported")
  func furtherImagesAreReported() throws {
    let names = ["0.left.jpg", "0.right.jpg", "0.cls", "1.left.jpg", "1.jpg", "1.cls", "1.back.jpg"]
    let source = try source(tarBytes(entries(names)))
    #expect(try samples(source) == ["0.left.jpg 1", "1.jpg 1"])
    #expect(source.report.counts == ["second image of a sample": 3] && source.report.choices.isEmpty)
    #expect(source.report.leftOut.first?.example == "0.right.jpg")
    let labels = try self.source(tarBytes(entries(["0.a.cls", "0.b.cls", "0.jpg"])))
    #expect(try samples(labels) == ["0.jpg 1"] && labels.report.counts == ["second label of a sample": 1])
  }

  @Test("Entries that are no part of a sample are reported")
  func otherEntriesAreReported() throws {
    let names = [
      "0.jpg", "0.txt", "0.cls", "0.json", "README", "._1.jpg", "__meta__/a.jpg", "__MACOSX/b.jpg",
      "@eaDir/c.jpg", "2.txt", "2.json",
    ]
    let tar = entries(names).reduce([]) { $0 + tarEntry($1.name, $1.body) } + tarSpecial("pipe", type: 0x36)
    let source = try source(
      tar + tarSpecial("volume", type: UInt8(ascii: "V")) + [UInt8](repeating: 0, count: 1_024))
    #expect(try samples(source) == ["0.jpg 1"])
    #expect(
      source.report.counts == [
        "not an image (.txt)": 2, "name without an extension": 1, "hidden file": 1,
        "metadata of the shard": 1, "folder of a file system or tool": 2, "sample without image and label": 1,
        "neither a file nor a folder": 1, "archive entry of another type": 1,
      ])
  }

  // MARK: Order

  @Test(
    "Parts of a sample may be anywhere in an uncompressed file",
    arguments: [
      ["0.png", "1.png", "2.png", "0.cls", "1.cls", "2.cls"],
      ["0.cls", "1.cls", "2.cls", "2.png", "1.png", "0.png"],
      ["0.png", "0.cls", "1.png", "2.cls", "2.png", "1.cls"],
      ["0.png", "1.png", "0.cls", "1.cls", "2.png", "2.cls"],
    ])
  func partsMayBeAnywhere(names: [String]) throws {
    let shard = tarBytes(entries(names) { Int(String($0.first!))! })
    #expect(try samples(source(shard)) == ["0.png 0", "1.png 1", "2.png 2"])
    #expect(try Survey.of(source(shard)) == Survey(count: 3, classCount: 3))
    try checkConformance(count: 3, isShuffled: false) { _ in try self.source(shard) }
    let compressed = try WebDatasetSource(folder.write("t.tar.gz", gzip(shard)))
    expectError(.badData, naming: ["t.tar.gz: sample \"", "must be adjacent", "tar --sort=name"]) {
      _ = try takeAll(compressed)
    }
  }

  @Test("A part that is nowhere is reported as missing")
  func missingPartsAreReported() throws {
    let names = ["0.png", "1.png", "0.cls"]
    expectError(.badData, naming: ["sample \"1\" has no label"]) {
      _ = try samples(source(tarBytes(entries(names))))
    }
  }

  /// `cat a.tar b.tar`, where both archives count from 0.
  @Test("A key may come again in the next archive of a pipe", arguments: [1, 2])
  func keysComeAgain(count: Int) throws {
    let one = tarBytes(tarSamples(count))
    let pipe = Pipe()
    pipe.fileHandleForWriting.write(Data(one + one))
    try pipe.fileHandleForWriting.close()
    let file = OpenFile(adopting: dup(pipe.fileHandleForReading.fileDescriptor), path: "pipe")
    let fields = SampleFields(labels: ShardLabels(names: nil))
    let reader = try ShardReader(FileInput(file), called: "pipe", fields: fields)
    while try reader.next() != nil {}
    #expect(reader.count == 2 * count)
    // The same inside a compression, which is a stream too.
    let compressed = try WebDatasetSource(folder.write("t.tar.gz", gzip(one + one)))
    #expect(try takeAll(compressed).count == 2 * count)
  }

  // MARK: Links

  @Test("Links in a file are followed", arguments: ["png", "cls"])
  func linksAreFollowed(kind: String) throws {
    let other = kind == "png" ? "cls" : "png"
    let bytes =
      tarEntry("a/0.\(kind)", Array("7".utf8)) + tarEntry("a/0.\(other)", Array("7".utf8))
      + tarLink("a/1.\(kind)", to: "a/0.\(kind)", isHard: true) + tarEntry("a/1.\(other)", Array("7".utf8))
      + tarLink("b/2.\(kind)", to: "../a/./1.\(kind)") + tarEntry("b/2.\(other)", Array("7".utf8))
      + [UInt8](repeating: 0, count: 1_024)
    let source = try source(bytes)
    #expect(try samples(source) == ["7 7", "7 7", "7 7"] && source.report.isEmpty)
    let compressed = try WebDatasetSource(folder.write("t.tar.gz", gzip(bytes)))
    #expect(try samples(compressed) == ["7 7"])
    #expect(
      compressed.report.counts == ["link in the archive": 2, "sample of a link in the archive": 2])
  }

  @Test("Links whose target is not in the shard are reported with their sample")
  func brokenLinksAreReported() throws {
    let bytes =
      tarLink("0.png", to: "/data/0.png") + tarEntry("0.cls", [49]) + tarLink("1.png", to: "1.png")
      + tarEntry("1.cls", [49]) + tarBytes(entries(["2.png", "2.cls"]))
    let source = try source(bytes)
    #expect(try samples(source) == ["2.png 1"])
    #expect(source.report.counts == ["link in the archive": 2, "sample of a link in the archive": 2])
  }

  // MARK: Labels

  @Test("Labels come from a field of the metadata")
  func labelsComeFromFields() throws {
    func shard(_ labels: [String]) -> [UInt8] {
      tarBytes(
        labels.enumerated().flatMap { number, label -> Entries in
          [
            ("\(number).json", Array(#"{"y": \#(label), "z": "q"}"#.utf8)),
            ("\(number).png", [UInt8(number)]),
          ]
        })
    }
    #expect(try takeAll(source(shard(["2", "0", "1"]), .field("y"))).map(\.label) == [2, 0, 1])
    let texts = try source(shard([#""dog""#, #""cat""#, #""dog""#]), .field("y"))
    #expect(texts.classNames == ["cat", "dog"] && texts.knownClassCount == 2)
    #expect(try takeAll(texts).map(\.label) == [1, 0, 1])
    // Identifiers, as in COCO's category_id, are names.
    let sparse = try source(shard(["90001234", "12050", "90001234"]), .field("y"))
    #expect(sparse.classNames == ["12050", "90001234"])
    #expect(try takeAll(sparse).map(\.label) == [1, 0, 1])
    #expect(sparse.report.choices.map(\.what) == ["the meaning of the numeric labels"])
    expectError(.badData, naming: ["the .json of sample \"0\" has no number or text \"x\""]) {
      _ = try takeAll(source(shard(["1"]), .field("x")))
    }
  }

  @Test("A label in the metadata is suggested", arguments: ["label", "cls", "class"])
  func labelsInMetadataAreSuggested(field: String) throws {
    let sample: Entries = [("0.png", [1]), ("0.json", Array(#"{"\#(field)": 1}"#.utf8))]
    for order in [sample, sample.reversed()] {
      expectError(.badData, naming: ["has the field \"\(field)\"; pass --label-key json:\(field)"]) {
        _ = try takeAll(source(tarBytes(order)))
      }
    }
  }

  @Test("Labels come from the folder")
  func labelsComeFromFolders() throws {
    let names = ["x/dog/0.png", "x/cat/0.png", "x/cat/a.1.png", "x/cat/a.2.png", "x/cat/0.cls"]
    let shard = tarBytes(entries(names))
    let source = try source(shard, .folder)
    #expect(source.classNames == ["cat", "dog"])
    #expect(
      try samples(source) == ["x/dog/0.png 1", "x/cat/0.png 0", "x/cat/a.1.png 0", "x/cat/a.2.png 0"])
    #expect(source.report.counts == ["label in another place than --label-key": 1])
    expectError(.badData, naming: ["sample \"0\" is not in a folder"]) {
      _ = try self.source(tarBytes(entries(["0.png"])), .folder)
    }
    expectError(.usage, naming: ["--label-key folder", "--classes FILE"]) {
      _ = try WebDatasetSource("-", labelKey: .folder)
    }
    expectError(.usage, naming: ["--label-key folder", "only WebDataset"]) {
      _ = try SourceRegistry.open("folder:\(folder.path)", seed: 1, labelKey: .folder)
    }
  }

  /// The number of outputs follows from the labels that occur, never from the largest one.
  @Test("A survey reads sparse numbers and texts as names")
  func surveysFindNames() throws {
    func shard(_ labels: [String]) -> [UInt8] {
      tarBytes(
        labels.enumerated().flatMap { [("\($0).png", [UInt8($0)]), ("\($0).cls", Array("\($1)\n".utf8))] })
    }
    for (labels, names) in [(["90001234", "12050"], ["12050", "90001234"]), (["dog", "7"], ["7", "dog"])] {
      let source = try source(shard(labels))
      #expect(try Survey.of(source) == Survey(count: 2, classCount: 2))
      #expect(source.classNames == names)
      #expect(try takeAll(source).map(\.label) == [1, 0])
    }
    #expect(try Survey.of(source(shard(["999", "2"]))).classCount == 1_000)
  }

  // MARK: Compression and indexes

  @Test("Other compressions are read", arguments: ["xz", "bzip2", "lz4", "lzip"])
  func otherCompressionsAreRead(name: String) throws {
    let path = try folder.write("t.tar.\(name)", compressed(tarBytes(tarSamples(3)), name))
    #expect(try takeAll(WebDatasetSource(path)).map(\.label) == [0, 1, 2])
    let empty = try folder.write("e.tar.\(name)", compressed([UInt8](repeating: 0, count: 1_024), name))
    #expect(try takeAll(WebDatasetSource(empty)).isEmpty)
  }

  /// A tar starts with the name of its first entry.
  @Test("A plain tar whose first name looks like a compression is read")
  func namesAreNotCompressions() throws {
    let source = try source(tarBytes(entries(["BZh9.png", "BZh9.cls", "LZIP.png", "LZIP.cls"])))
    #expect(try samples(source) == ["BZh9.png 1", "LZIP.png 1"])
  }

  /// train/t-0.tar and val/t-0.tar have the same file name.
  @Test("An index distinguishes shards of the same name in several folders")
  func indexesDistinguishFolders() throws {
    for (number, part) in ["a", "b"].enumerated() {
      try folder.write("\(part)/t-0.tar", tarBytes(tarSamples(2 + number)))
    }
    func open(_ urls: [String]) throws -> WebDatasetSource {
      let list = zip(urls, [2, 3]).map { #"{"url": "\#($0)", "nsamples": \#($1)}"# }.joined(separator: ", ")
      try folder.write(
        "shards.json",
        Array(#"{"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": [\#(list)]}"#.utf8))
      return try WebDatasetSource("\(folder.path)/{b,a}/t-0.tar")
    }
    let named = try open(["a/t-0.tar", "https://h/b/t-0.tar"])
    #expect(named.knownCount == 5)
    #expect(try takeAll(named).count == 5)
    let resumed = try open(["a/t-0.tar", "b/t-0.tar"])
    try resumed.restore(position: 4)
    #expect(try takeAll(resumed).map(\.label) == [1])
    // Without folders the order counts, and it is that of the pattern.
    let bare = ShardIndex(
      shards: ["t-0.tar", "t-0.tar"].enumerated().map { .init(url: $1, nsamples: 2 + $0) })
    #expect(bare.counts(of: ["x/a/t-0.tar", "x/b/t-0.tar"]) == [2, 3])
    #expect(bare.counts(of: ["x/a/t-0.tar"]) == nil)
  }

  @Test("Packing into several folders writes an index that distinguishes them")
  func packingDistinguishesFolders() throws {
    let whole = try SourceRegistry.open("synthetic:5:8:2", seed: 1)
    let report = try ShardWriter(output: "\(folder.path)/{a,b}/t-0.tar", seed: 1).write(whole)
    #expect(report.indexPath == "\(folder.path)/shards.json")
    let source = try WebDatasetSource("\(folder.path)/{a,b}/t-0.tar")
    #expect(source.knownCount == 5)
    #expect(try takeAll(source).count == 5)
    let index = try #require(try ShardIndex.read(report.indexPath))
    #expect(index.shards.map(\.url) == ["a/t-0.tar", "b/t-0.tar"])
  }

  // MARK: Resuming

  /// At every position: what is reported up to there, and after the rest has been read.
  @Test("A restored stream ends with the report of an uninterrupted one", arguments: [false, true])
  func reportsAreRestored(isIndexed: Bool) throws {
    let names = [
      ["0.jpg", "0.left.jpg", "0.txt", "0.cls", "a", "1.jpg", "1.cls", "1.right.jpg"],
      ["2.jpg", "2.cls", "._x.jpg", "3.jpg", "4.jpg", "3.cls", "4.cls", "5.txt"],
      ["c.0.jpg", "c.0.cls", "c.1.jpg", "c.1.cls", "b"],
    ]
    for (number, names) in names.enumerated() {
      try folder.write("r-\(number).tar", tarBytes(entries(names)))
    }
    if isIndexed {
      let list = [2, 3, 2].enumerated().map { #"{"url": "r-\#($0).tar", "nsamples": \#($1)}"# }
      try folder.write(
        "r.json",
        Array(
          #"{"__kind__": "wids-shard-index-v1", "wids_version": 1, "shardlist": [\#(list.joined(separator: ","))]}"#
            .utf8))
    }
    func open() throws -> WebDatasetSource { try WebDatasetSource("\(folder.path)/r-{0..2}.tar") }
    let whole = try open()
    var reports = [whole.report]
    while try whole.next() != nil { reports.append(whole.report) }
    #expect(reports.count == 8 && whole.report.leftOutCount == 7 && whole.report.choices.count == 1)
    for position in 0...7 {
      let resumed = try open()
      try resumed.restore(position: position)
      resumed.restore(report: reports[position])
      #expect(resumed.report == reports[position], "\(position)")
      _ = try takeAll(resumed)
      #expect(resumed.report == whole.report, "\(position)")
    }
  }
}

/// Bytes compressed by libarchive.
private func compressed(_ bytes: [UInt8], _ filter: String) throws -> [UInt8] {
  let archive = try #require(archive_write_new())
  defer { archive_write_free(archive) }
  archive_write_set_format_raw(archive)
  let status = archive_write_add_filter_by_name(archive, filter)
  try #require(status == ARCHIVE_OK, "libarchive cannot write \(filter)")
  var target = [UInt8](repeating: 0, count: 1 << 20)
  var used = 0
  try target.withUnsafeMutableBytes { buffer in
    try #require(archive_write_open_memory(archive, buffer.baseAddress, buffer.count, &used) == ARCHIVE_OK)
    let entry = try #require(archive_entry_new())
    defer { archive_entry_free(entry) }
    archive_entry_set_filetype(entry, 0o100000)
    archive_entry_set_pathname(entry, "data")
    try #require(archive_write_header(archive, entry) == ARCHIVE_OK)
    _ = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
    try #require(archive_write_close(archive) == ARCHIVE_OK)
  }
  return Array(target.prefix(used))
}

private func gzip(_ bytes: [UInt8]) throws -> [UInt8] { try compressed(bytes, "gzip") }
