import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

/// The fixtures come from Tools/reference_parquet.py.
@Suite("Parquet files") struct ParquetTests {
  static let files = [
    "hub", "none", "snappy", "gzip", "zstd", "pages", "plain2", "missing", "required", "delta",
  ]

  private func fixture(_ name: String) throws -> String {
    try #require(Bundle.module.path(forResource: "Fixtures/parquet/\(name)", ofType: nil))
  }

  /// Rows without an image are left out.
  @Test("Parquet files give the rows that pyarrow reads", arguments: files)
  func readsWhatPyarrowReads(name: String) throws {
    let json = try JSONSerialization.jsonObject(with: Data(contents(of: fixture("expected.json"))))
    let all = try #require((json as? [String: [[Any]]])?["\(name).parquet"])
    let rows = all.filter { $0[0] is String }
    let source = try ParquetSource(fixture("\(name).parquet"))
    #expect(source.knownCount == rows.count)
    for (example, row) in zip(try takeAll(source), rows) {
      let hex = example.image.bytes.map { String(format: "%02x", $0) }.joined()
      #expect(hex == (row[0] as? String ?? "") && example.label == row[1] as? Int, "row \(example.id)")
    }
    #expect(source.position == rows.count && source.report.leftOutCount == all.count - rows.count)
  }

  @Test("A Parquet file conforms to the requirements of a source")
  func conforms() throws {
    let paths = "{\(try fixture("hub.parquet")),\(try fixture("hub.parquet"))}"
    try checkConformance(count: 46, isShuffled: false) { try SourceRegistry.open("hf:\(paths)", seed: $0) }
    let source = try SourceRegistry.open("hf:\(paths)", seed: 1)
    #expect(source.classNames == ["ant", "bee", "cat", "dog", "eel"])
    for name in ["gzip", "pages", "zstd"] {
      let path = try fixture("\(name).parquet")
      try checkConformance(count: 100, isShuffled: false) { try SourceRegistry.open("hf:\(path)", seed: $0) }
    }
    expectError(.badData, naming: ["hub.parquet: class \"cat\"", "2 expected classes"]) {
      _ = try SourceRegistry.open("hf:\(paths)", seed: 1, classNames: ["ant", "bee"])
    }
  }

  /// The server supports ranges and breaks every connection.
  @Test("Parquet files are read from an address")
  func readsFromAnAddress() throws {
    let whole = try contents(of: fixture("snappy.parquet"))
    let server = try LoopbackServer { request, _, connection in
      let numbers = (request.headers["range"] ?? "").split { !$0.isNumber }.compactMap { Int($0) }
      let (start, end) = (numbers[0], numbers.count > 1 ? numbers[1] + 1 : whole.count)
      connection.head(
        "206 Partial Content",
        [
          "Content-Length": "\(end - start)", "ETag": "\"e\"",
          "Content-Range": "bytes \(start)-\(end - 1)/\(whole.count)",
        ])
      connection.send(Array(whole[start..<end].prefix(700)))
    }
    func open() throws -> ParquetSource {
      let address = server.url("x.parquet?s3cr3t")
      let limits = HTTPLimits(idle: 5, firstPause: 0.01, longestPause: 0.02)
      return try ParquetSource(
        SourceRequest(
          specification: "hf:\(address)", argument: address, seed: 0, classNames: nil, subjectKey: nil),
        http: limits)
    }
    let local = try takeAll(ParquetSource(fixture("snappy.parquet")))
    let remote = try takeAll(open())
    #expect(remote.count == 100 && zip(remote, local).allSatisfy(same))
    let before = server.requests.count
    let resumed = try open()
    try resumed.restore(position: 80)
    #expect(try takeAll(resumed).count == 20 && server.requests.count - before < before)
    #expect(!resumed.specification.contains("s3cr3t"))
    // Other columns are not read.
    #expect(server.requests.allSatisfy { $0.rangeStart != nil })
  }

  @Test("A file of another kind is refused with its name and the reason")
  func otherFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    expectError(.badData, naming: ["labels.parquet", "no column of images"]) {
      _ = try ParquetSource(fixture("labels.parquet"))
    }
    for bytes in [[], Array("PAR1".utf8), [UInt8](repeating: 0x41, count: 100)] {
      let path = try folder.write("x.parquet", bytes)
      expectError(.badData, naming: ["x.parquet"]) { _ = try ParquetSource(path) }
    }
    expectError(.io, naming: ["/nowhere: no such file"]) { _ = try ParquetSource("/nowhere") }
    expectError(.usage, naming: ["is a folder"]) { _ = try ParquetSource(folder.path) }
  }

  /// Truncation is always detected. A changed byte is an error or another image.
  @Test("A damaged file is refused with an error, never with a crash", arguments: files)
  func damagedFilesAreRefused(name: String) throws {
    let folder = try TemporaryFolder()
    let whole = try contents(of: fixture("\(name).parquet"))
    var chance = SeededGenerator(seed: 3, .test)
    var refused = 0
    for trial in 0..<200 {
      var bytes = whole
      if trial % 4 == 0 { bytes = Array(bytes.prefix(chance.next(below: bytes.count))) }
      for _ in 0..<(trial % 4) where !bytes.isEmpty {
        // Half of the changes are in the footer, which is small but most important.
        let place =
          chance.nextBool()
          ? chance.next(below: bytes.count) : bytes.count - 1 - chance.next(below: min(2_000, bytes.count))
        bytes[place] = UInt8(chance.next(below: 256))
      }
      let path = try folder.write("damaged", bytes)
      do {
        let source = try ParquetSource(path)
        while try source.next() != nil {}
        #expect(trial % 4 != 0)
      } catch let error as OnePassError {
        #expect(error.code == .badData && error.message.hasSuffix("."), "\(error)")
        refused += 1
      }
    }
    #expect(refused >= 50)
  }
}
