import Foundation
import TestSupport
import Testing

/// A few of the broken files that `scripts/fuzz` makes many of, without a sanitizer: the harness still runs, and what it has
/// found stays mended.
@Suite struct FuzzTests {
  private static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().path
  private let fuzz = Program.built("FuzzProgram")

  /// Whole files of each format.
  private static let seeds = [
    "tar": "OnePassDataTests/Fixtures/shards", "zip": "OnePassDataTests/Fixtures/archives",
    "parquet": "OnePassDataTests/Fixtures/parquet", "idx": "FuzzProgram/Seeds",
    "png": "OnePassDataTests/Fixtures/Images", "jpeg": "OnePassDataTests/Fixtures/Images",
    "safetensors": "OnePassTorchTests/Fixtures", "yaml": "FuzzProgram/Seeds",
  ]

  /// With what the names of a format's files end.
  private static let endings = [
    "tar": [".tar", ".tar.gz", ".tar.zst"], "zip": [".zip"], "parquet": [".parquet"],
    "idx": [".idx", ".idx.gz"], "png": [".png"], "jpeg": [".jpg"], "safetensors": [".safetensors"],
    "yaml": [".yaml"],
  ]

  @Test(arguments: seeds.keys.sorted())
  func brokenFilesEndInASentence(format: String) throws {
    let folder = try "\(Self.tests)/\(#require(Self.seeds[format]))"
    let endings = try #require(Self.endings[format])
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .filter { name in endings.contains { name.hasSuffix($0) } }
    #expect(!files.isEmpty)
    let outcome = try fuzz.run([format, "--count", "200", "--seed", "5"] + files.map { "\(folder)/\($0)" })
    #expect(outcome.status == 0, "\(format): \(outcome.errors)")
    #expect(outcome.output.hasPrefix("\(format): 200 files, "))
  }

  @Test func whatWasFoundStaysMended() throws {
    let folder = "\(Self.tests)/FuzzProgram/Findings"
    for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
      let format = try #require(name.split(separator: "-").first.map(String.init))
      let outcome = try fuzz.run([format, "--replay", "\(folder)/\(name)"])
      #expect(outcome.status == 0, "\(name): \(outcome.errors)")
    }
  }
}
